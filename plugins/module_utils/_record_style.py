# Copyright (c) 2026, The plugspace.titan maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page of a record looks: in light and dark, on a phone, on paper."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark;
  --ground: #f7f7f4; --card: #ffffff; --ink: #1f2328; --soft: #5c6570; --line: #dcdfe0;
  --good: #1a7048; --good-soft: #e1f2e8; --bad: #b3261e; --bad-soft: #fbe6e3;
  --warn: #8a5300; --warn-soft: #fbeed6; --note: #2f5d91; --note-soft: #e3edf8;
  --gone: #6b3fa0; --calm: #b9c4cf; --on-calm: #1f2328; --on: #ffffff; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #14171a; --card: #1c2024; --ink: #e4e6e8; --soft: #9aa4ae; --line: #32383e;
  --good: #6fcf97; --good-soft: #173326; --bad: #ff8f85; --bad-soft: #3f1d1a;
  --warn: #f0b95c; --warn-soft: #3a2b10; --note: #8ab8ec; --note-soft: #192c42;
  --gone: #c9a6ec; --calm: #48535e; --on-calm: #e4e6e8; --on: #14171a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2, h3, p, dl, dd, ul, ol { margin: 0; padding: 0; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); display: flex; flex-wrap: wrap;
  gap: .4rem .75rem; align-items: center; }
h2 { font-size: 1.1rem; font-weight: 650; margin: 2.75rem 0 .75rem; }
h3 { font-size: .8rem; font-weight: 650; color: var(--soft); margin: 1.5rem 0 .4rem; }
.lead { font-size: clamp(1.2rem, 1rem + 1.2vw, 1.6rem); line-height: 1.4; margin: 1rem 0 1.75rem;
  text-wrap: pretty; }
.pill { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; font-size: .85rem;
  font-weight: 650; background: var(--note-soft); color: var(--note); }
.pill.well, .pill.healed { background: var(--good-soft); color: var(--good); }
.pill.unhealed, .pill.unreachable, .pill.failed { background: var(--bad-soft); color: var(--bad); }
.pill.refused, .pill.interrupted { background: var(--warn-soft); color: var(--warn); }
.facts { display: grid; gap: 1rem 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr));
  border-block: 1px solid var(--line); padding: 1rem 0; }
dt { font-size: .8rem; color: var(--soft); }
dd { font-variant-numeric: tabular-nums; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1.1rem 1.25rem; margin-top: 1rem; }
.card > .head { display: flex; flex-wrap: wrap; gap: .4rem .75rem; align-items: center;
  font-weight: 650; font-size: 1.05rem; }
.card > p { margin-top: .5rem; }
.next { background: var(--warn-soft); border-color: transparent; margin-top: 1.75rem; }
.next h2 { margin: 0 0 .4rem; color: var(--warn); }
.next li { margin-left: 1.2rem; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
svg .host { text-anchor: end; font-size: 13px; }
svg .axis { text-anchor: middle; fill: var(--soft); }
svg .tick, svg .lane { stroke: var(--line); stroke-width: 1; }
svg .bar.ok { fill: var(--calm); } svg .bar.changed { fill: var(--note); }
svg .bar.failed { fill: var(--bad); } svg .bar.unreachable { fill: var(--gone); }
svg .bar.cut, svg .bar.at_work { fill: var(--warn); }
svg .on { fill: var(--on); } svg .on.ok { fill: var(--on-calm); }
svg .back { fill: var(--good); stroke: var(--card); stroke-width: 1.5; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; font-size: .85rem;
  color: var(--soft); margin-top: .6rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  margin-right: .4rem; vertical-align: -.05rem; background: var(--calm); }
.legend i.changed { background: var(--note); } .legend i.back { background: var(--good);
  border-radius: 50%; } .legend i.failed { background: var(--bad); }
.legend i.unreachable { background: var(--gone); }
.legend i.cut, .legend i.at_work { background: var(--warn); }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th { text-align: left; white-space: nowrap;
  font-size: .8rem; font-weight: 600; color: var(--soft); }
th, td { padding: .4rem 1rem .4rem 0; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
/* A cause stays in one piece; what a program said may be one long word. */
td { overflow-wrap: break-word; } td .evidence { overflow-wrap: anywhere; }
td b { font-weight: 600; } .yes { color: var(--good); } .no { color: var(--bad); }
.evidence, pre { font: .88rem/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace; }
pre { white-space: pre-wrap; margin: .5rem 0 0; }
.soft { color: var(--soft); } .small { font-size: .85rem; }
details { margin-top: .75rem; } summary { cursor: pointer; color: var(--soft); font-size: .85rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line);
  padding-top: 1rem; }
@media (max-width: 36rem) {
  main { padding: 1.25rem 1rem 3rem; } .card { padding: .9rem 1rem; }
  .rows thead { display: none; } .rows tr { display: block; border-top: 1px solid var(--line);
    padding: .5rem 0; } .rows td { display: block; border: 0; padding: .1rem 0; }
  .rows td:empty { display: none; }
  .rows td[data-name]::before { content: attr(data-name) " "; color: var(--soft);
    font-size: .8rem; } }
@media print { :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb;
    --calm: #ccc; --on-calm: #000; --on: #fff; --good: #1a7048; --bad: #b3261e; --warn: #8a5300;
    --note: #2f5d91; --gone: #6b3fa0; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; } .card, tr, svg {
    break-inside: avoid; } h2, h3 { break-after: avoid; } svg { min-width: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
