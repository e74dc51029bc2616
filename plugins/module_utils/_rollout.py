# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release for all the hosts of a run, decided once from what each of them reported.

Input: for each host the result of the module release_info, or None for a host that gave no answer.
"""

from __future__ import annotations

import typing as t

Info = dict[str, t.Any]
Infos = dict[str, t.Optional[Info]]

SHORT = 7


class Rollout(t.TypedDict):
    """What a run puts live.

    name, commit, ref, subject: the release; all empty when it could not be decided.
    change: whether any host still has to be brought to it.
    pending: the hosts that are not on it yet, in the order given.
    wanted: those, and the hosts on it whose processes do not all run it.
    commits: what goes out (or is taken back), newest first; migrations: names, oldest first.
    problems, warnings: sentences that name their hosts. text: the plan, or why
    nothing is done, for a person.
    """

    name: str
    commit: str
    ref: str
    subject: str
    change: bool
    pending: list[str]
    wanted: list[str]
    commits: list[dict[str, str]]
    migrations: list[str]
    problems: list[str]
    warnings: list[str]
    text: str


def decide_deploy(infos: Infos, sites: Infos | None = None) -> Rollout:
    """Decide the release that all hosts of a deployment get.

    sites: for each host the result of service_probe; a site that does not answer where a release
    is live is a warning, since the deployment may be what mends it. That nobody could ask is a
    problem: the release could not be proven either.

    The first host's commit counts for all, so a branch that moves meanwhile splits nothing. A
    release of that commit that some host has prepared already keeps its name, so a run that was
    cut off is taken up and not repeated.
    """
    plans = {host: info["plan"] for host, info in infos.items() if info and info.get("plan")}
    lead: Info = next(iter(plans.values()), {})
    commit = lead.get("commit", "")
    pending = [h for h, p in plans.items() if p["change"] or p["commit"] != commit]
    problems = _by_message({h: p.get("problems", []) for h, p in plans.items()}, len(infos))
    problems += _by_message(_process_problems(infos, pending), len(infos))
    if sites is not None:
        problems += _by_message(_unseen(plans, sites), len(infos))
    problems += _silent(infos, plans)
    warnings = _by_message({h: p.get("warnings", []) for h, p in plans.items()}, len(infos))
    warnings += _by_message(_unhealthy(infos, sites or {}), len(infos))
    if not commit:
        return _refused(problems or ["no host was looked at"], warnings)

    name = _name(infos, [p["name"] for p in plans.values() if p["commit"] == commit], commit)
    # One that has the commit under another name is really switched when it is worked on.
    pending = [
        host
        for host in infos
        if host in pending or (_lacking(infos[host]) and _live(infos[host]) != name)
    ]
    # The host that is furthest behind shows all that goes out.
    widest = max(plans.values(), key=lambda plan: len(plan.get("commits", [])))
    return _rollout(
        "Deploy",
        infos,
        lead | {"name": name},
        pending,
        commits=widest.get("commits", []),
        migrations=sorted({m for plan in plans.values() for m in plan.get("migrations", [])}),
        problems=problems,
        warnings=warnings,
    )


def decide_rollback(infos: Infos, target: str = "", confirm: str = "") -> Rollout:
    """Decide the release that all hosts go back to.

    target: empty for each host's previous release (which must be the same one everywhere), a
    release's name, or a commit of at least 7 digits.
    confirm: the name of the release, needed when migrations lie between the current release and
    it, since going back does not undo them.
    """
    answers = {host: info for host, info in infos.items() if info and "releases" in info}
    problems = _silent(infos, answers)
    found: dict[str, Info] = {}
    complaints: dict[str, list[str]] = {}
    for host, info in answers.items():
        release, complaint = _rollback_target(info, target)
        if release:
            found[host] = release
        complaints[host] = [complaint] if complaint else []
    problems += _by_message(complaints, len(infos))

    names = {host: release["name"] for host, release in found.items()}
    agreed = len(set(names.values())) == 1
    if names and not agreed:
        listed = ", ".join(f"{host}: {name}" for host, name in names.items())
        problems.append(
            f"the hosts would go back to different releases ({listed}); name the one you want "
            "with rollback_target"
        )
    pending = [h for h, r in found.items() if not r.get("current") or r.get("status") != "active"]
    problems += _by_message(_process_problems(infos, pending), len(infos))
    if not found:
        return _refused(problems or ["no host was looked at"], [])

    lead = next(iter(found.values()))
    between = sorted(
        {
            migration
            for host, release in found.items()
            for migration in _migrations_between(answers[host], release)
        }
    )
    # A name to confirm makes sense only when it is the same for all.
    if between and agreed and confirm != lead["name"]:
        problems.append(
            f"{_count(between, 'migration')} ({', '.join(between)}) came after {lead['name']} and "
            "a rollback does not undo them; when that release can run on the newer schema, "
            f"say so with -e rollback_confirm={lead['name']}"
        )
    return _rollout(
        "Go back to", infos, lead, pending, commits=[], migrations=between, problems=problems
    )


def _rollout(
    verb: str,
    infos: Infos,
    release: Info,
    pending: list[str],
    commits: list[dict[str, str]],
    migrations: list[str],
    problems: list[str],
    warnings: t.Sequence[str] = (),
) -> Rollout:
    """The decision for a release, with its plan as text."""
    wanted = [host for host in infos if host in pending or _lacking(infos[host])]
    rollout = Rollout(
        name=release["name"],
        commit=release["commit"],
        ref=release.get("ref", ""),
        subject=release.get("subject", ""),
        change=bool(wanted),
        pending=pending,
        wanted=wanted,
        commits=commits,
        migrations=migrations,
        problems=problems,
        warnings=list(warnings),
        text="",
    )
    rollout["text"] = _plan_text(verb, rollout, infos)
    return rollout


def _rollback_target(info: Info, target: str) -> tuple[Info | None, str]:
    """The release that this host would go back to, or why there is none."""
    releases: list[Info] = info.get("releases", [])
    if not target:
        previous = info.get("previous") or {}
        if previous:
            return previous, ""
        return None, "there is no previous release to go back to"
    matches = [r for r in releases if r["name"] == target]
    if not matches and len(target) >= SHORT:
        matches = [r for r in releases if r["commit"].startswith(target.lower())]
        # Of several builds of one commit the current one, then the newest usable one, is meant.
        matches.sort(key=lambda r: (bool(r.get("current")), _usable(r), r["name"]), reverse=True)
    if not matches:
        targets = [r["name"] for r in releases if _usable(r) and r.get("status") != "prepared"]
        kept = ", ".join(targets) or "none"
        return None, f"there is no release {target}; kept and complete: {kept}"
    release = matches[0]
    if release.get("status") == "failed":
        reason = release.get("reason") or "no reason was kept"
        return None, f"release {release['name']} is marked as failed ({reason})"
    if not release.get("complete"):
        reason = release.get("reason") or "it was not prepared to the end"
        return None, f"release {release['name']} is not complete ({reason})"
    if release.get("status") == "prepared":
        return None, f"release {release['name']} was never live; deploy it instead"
    return release, ""


def _usable(release: Info) -> bool:
    return bool(release.get("complete")) and release.get("status") != "failed"


def _migrations_between(info: Info, release: Info) -> list[str]:
    current = info.get("current") or {}
    return sorted(set(current.get("migrations") or []) - set(release.get("migrations") or []))


def _name(infos: Infos, suggested: list[str], commit: str) -> str:
    """The name that is live or ready on some host, else a suggested one; never a marked one."""
    releases = [
        release
        for info in infos.values()
        if info
        for release in info.get("releases", [])
        if release.get("commit") == commit
    ]
    marked = {release["name"] for release in releases if release.get("status") == "failed"}
    usable = [r for r in releases if _usable(r) and r["name"] not in marked]
    live = [r["name"] for r in usable if r.get("current")]
    ready = [r["name"] for r in usable]
    return max(live or ready or [name for name in suggested if name not in marked], default="")


def _by_message(messages: dict[str, list[str]], total: int) -> list[str]:
    """Say once what several hosts say, with the hosts in front."""
    hosts: dict[str, list[str]] = {}
    for host, sentences in messages.items():
        for sentence in sentences:
            hosts.setdefault(sentence, []).append(host)
    return [
        f"{'every host' if len(named) == total > 1 else ', '.join(named)}: {sentence}"
        for sentence, named in hosts.items()
    ]


def _silent(infos: Infos, answered: t.Container[str]) -> list[str]:
    """The hosts that told nothing, with the module's own word where there is one."""
    told: dict[str, list[str]] = {}
    for host, info in infos.items():
        if host not in answered:
            told[host] = [str((info or {}).get("msg") or "no answer, so nothing is known about it")]
    return _by_message(told, len(infos))


def _process_problems(infos: Infos, pending: t.Container[str]) -> dict[str, list[str]]:
    """What keeps PM2 from being worked with.

    On a pending host the processes are replaced anyway, so there only PM2 itself counts.
    """
    problems: dict[str, list[str]] = {}
    for host, info in infos.items():
        processes = (info or {}).get("processes") or {}
        counts = host not in pending or not processes.get("workable")
        if counts and processes.get("problem"):
            problems[host] = [processes["problem"]]
    return problems


def _live(info: Info | None) -> str:
    """The name of the live release; empty when there is none."""
    return str(((info or {}).get("current") or {}).get("name") or "")


def _lacking(info: Info | None) -> list[str]:
    """What the processes of the live release lack, as actions."""
    return list(((info or {}).get("processes") or {}).get("actions") or [])


def _refused(problems: list[str], warnings: list[str]) -> Rollout:
    return Rollout(
        name="",
        commit="",
        ref="",
        subject="",
        change=False,
        pending=[],
        wanted=[],
        commits=[],
        migrations=[],
        problems=problems,
        warnings=warnings,
        text=_refusal(problems),
    )


def _unhealthy(infos: Infos, sites: Infos) -> dict[str, list[str]]:
    """The hosts with a live release through which the site does not answer now."""
    told: dict[str, list[str]] = {}
    for host, site in sites.items():
        if ((infos.get(host) or {}).get("current") or {}).get("name"):
            reasons = [one["reason"] for one in (site or {}).get("results", []) if not one["ok"]]
            told[host] = [f"the site is unhealthy before the deployment: {r}" for r in reasons]
    return told


def _unseen(plans: dict[str, Info], sites: Infos) -> dict[str, list[str]]:
    """The hosts that are to change and whose site could not be asked at all."""
    return {
        host: [f"the site cannot be looked at: {(sites.get(host) or {}).get('msg') or 'no answer'}"]
        for host, plan in plans.items()
        if plan["change"] and not (sites.get(host) or {}).get("results")
    }


def _count(things: t.Sequence[t.Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _refusal(problems: list[str]) -> str:
    return "\n".join(["Nothing was touched, because:", *(f"- {problem}" for problem in problems)])


def _plan_text(verb: str, rollout: Rollout, infos: Infos) -> str:
    """The plan in a few lines: what, to where, from what, which commits and migrations."""
    if rollout["problems"]:
        return _refusal(rollout["problems"])
    ref = rollout["ref"] if rollout["ref"] and rollout["ref"] != rollout["commit"] else ""
    what = " ".join(filter(None, [ref, rollout["commit"][:SHORT], f'"{rollout["subject"]}"']))
    if rollout["pending"]:
        hosts = ", ".join(rollout["pending"])
        lines = [f"{verb} {what} as release {rollout['name']} on {hosts}"]
    else:
        lines = [f"{what} is live on {', '.join(infos)} already, as release {rollout['name']}."]
    lines += [
        _now(host, infos[host], waits=host in rollout["pending"]) for host in rollout["wanted"]
    ]
    if rollout["commits"] and rollout["pending"]:
        lines.append(f"  {_count(rollout['commits'], 'commit')}:")
        lines += [
            f"    {c['commit'][:SHORT]} {c['subject']} ({c['author']}, {c['date'][:10]})"
            for c in rollout["commits"][:20]
        ]
        if len(rollout["commits"]) > 20:
            lines.append(f"    … and {len(rollout['commits']) - 20} more")
    if rollout["migrations"] and rollout["pending"]:
        lines.append(
            f"  {_count(rollout['migrations'], 'migration')}: {', '.join(rollout['migrations'])}"
        )
    lines += [f"  Note: {warning}" for warning in rollout["warnings"]]
    return "\n".join(lines)


def _now(host: str, info: Info | None, waits: bool) -> str:
    """Where one host stands."""
    if not waits:
        return f"  {host}: its processes are not all right; to do: {'; '.join(_lacking(info))}"
    current = (info or {}).get("current") or {}
    if not current:
        return f"  {host}: nothing is live"
    ref = current.get("ref", "")
    from_ref = f" ({ref})" if ref and ref != current.get("commit") else ""
    return f"  {host}: now {current.get('name') or 'an unmanaged checkout'}{from_ref}"
