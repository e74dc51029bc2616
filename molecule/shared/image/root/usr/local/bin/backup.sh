#!/usr/bin/python3
"""Back up the application's databases and settings, with a manifest of checksums."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sqlite3
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import PyMongoError

SETTINGS = Path("/home/plugspace/deploy/shared/.env")
BACKUPS = Path("/home/plugspace/backups")
# Documents are copied as the bytes that they are, not decoded and encoded again.
RAW = CodecOptions(document_class=RawBSONDocument)


def read_settings() -> dict[str, str]:
    lines = (line.strip() for line in SETTINGS.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {key: value.strip("\"'") for key, value in pairs}


def dump_mongodb(url: str, target: Path) -> None:
    target.mkdir()
    with MongoClient(url, serverSelectionTimeoutMS=10000) as client:
        database = client[urlsplit(url).path.lstrip("/")]
        for name in database.list_collection_names():
            with (target / f"{name}.bson").open("wb") as file:
                for document in database.get_collection(name, RAW).find():
                    file.write(document.raw)


def dump_sqlite(url: str, target: Path) -> None:
    source = Path(url.removeprefix("file:"))
    if source.exists():
        with sqlite3.connect(source) as origin, sqlite3.connect(target) as copy:
            origin.backup(copy)


def checksums(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def main() -> None:
    os.umask(0o077)
    settings = read_settings()
    name = time.strftime("%Y%m%d_%H%M%S")
    # A backup appears under its name only when it is complete.
    scratch = BACKUPS / f".{name}"
    scratch.mkdir(parents=True)
    try:
        dump_mongodb(settings["MONGODB_URL"], scratch / "mongodb")
        dump_sqlite(settings["DATABASE_URL"], scratch / "database.sqlite")
        shutil.copy(SETTINGS, scratch / "env")
        manifest = {"timestamp": name, "host": socket.gethostname(), "checksums": checksums(scratch)}
        (scratch / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        scratch.rename(BACKUPS / name)
    except BaseException:
        shutil.rmtree(scratch)
        raise
    print(BACKUPS / name)


if __name__ == "__main__":
    try:
        main()
    except (OSError, KeyError, PyMongoError, sqlite3.Error) as error:
        sys.exit(f"backup.sh: {type(error).__name__}: {error}")
