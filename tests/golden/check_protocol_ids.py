#!/usr/bin/python3
"""Compares libmsg/PROTOCOL.md with the tests: every rule's id is named by a test, or rules.txt names a test that exists
for it; no test names an id that is no rule; and the frames of the worked exchange are the golden vectors. Exit code 1 tells of a difference."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ID = re.compile(r"\[(P-[A-Z]+-\d+)\]")
TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+),\s*(\w+)", re.MULTILINE)
TESTS = {".cpp", ".hpp", ".py", ".sh"}


def tested_ids():
    """Id -> the first test file that names it."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix in TESTS and path != pathlib.Path(__file__).resolve():
            for rule in ID.findall(path.read_text(errors="replace")):
                found.setdefault(rule, path.relative_to(ROOT))
    return found


def listed_tests():
    """What rules.txt says: (id, test) pairs."""
    lines = (ROOT / "tests/golden/rules.txt").read_text().splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def known_tests():
    """suite.name of every C++ test, the functions and the file names of every Python test."""
    names = set()
    for path in (ROOT / "tests").rglob("*"):
        if path.suffix == ".cpp":
            names.update(".".join(pair) for pair in TEST.findall(path.read_text(errors="replace")))
        elif path.suffix == ".py":
            names.update(re.findall(r"def (test_\w+)", path.read_text(errors="replace")))
            names.add(path.name)
    return names


def check_ids(document):
    rules = ID.findall(document)
    tested = tested_ids()
    known = known_tests()
    problems = []
    for rule, test in listed_tests():
        if test in known:
            tested.setdefault(rule, "rules.txt")
        else:
            problems.append(f"rules.txt: there is no test {test} for {rule}")
    problems += [f"{rule} is defined twice" for rule in sorted({rule for rule in rules if rules.count(rule) > 1})]
    problems += [f"{rule} has no test" for rule in rules if rule not in tested]
    problems += [f"{rule}, named in {tested[rule]}, is not in PROTOCOL.md" for rule in tested if rule not in rules]
    print(f"{len(rules)} rules, {len(set(rules) & set(tested))} with a test")
    return problems


def check_exchange(document):
    """Code blocks whose first line is vectors/NAME.hex, then hex with comments behind a semicolon."""
    problems = []
    for name, block in re.findall(r"```text\nvectors/(\w+)\.hex\n(.*?)```", document, re.DOTALL):
        shown = "".join(line.split(";")[0] for line in block.splitlines())
        vector = (ROOT / "tests/golden/vectors" / f"{name}.hex").read_text()
        if "".join(shown.split()) != "".join(vector.split()):
            problems.append(f"the worked exchange shows {name} differently from its vector")
    return problems


def main():
    document = (ROOT / "libmsg/PROTOCOL.md").read_text()
    problems = check_ids(document) + check_exchange(document)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
