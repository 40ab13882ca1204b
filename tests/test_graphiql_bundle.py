"""GraphiQL's bundle is in the repository: it is what was built, of what is in setup/graphiql today."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "static" / "graphiql" / "bundle"
HERE = [ROOT / "setup" / "graphiql", BUNDLE]


def test_graphiql_bundle_is_built_of_what_setup_names() -> None:
    """`make graphiql` writes the sums anew, of what goes in and of what comes out; CHECK=1 looks whether that is so."""
    listed = dict(reversed(line.split("  ")) for line in (BUNDLE / "SHA256SUMS").read_text().splitlines())
    files = [file for folder in HERE for file in folder.iterdir() if file.is_file() and file.suffix != ".gz"]
    found = {
        str(file.relative_to(ROOT)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.name != "SHA256SUMS"
    }
    assert found == listed, "GraphiQL's bundle isn't built of what is in setup/graphiql: run `make graphiql`"


def test_graphiql_lock_file_pins_packages_by_hash_and_names_no_registry() -> None:
    lock = (ROOT / "setup" / "graphiql" / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert lock.count('"integrity"') == lock.count('"version"')
