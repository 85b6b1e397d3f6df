#!/usr/bin/env python3
"""Asks Chaos Toolkit what it does, and writes the answers down as tables that our tests are held against.

Versions: chaostoolkit-lib 1.44.0 with the extra `jsonpath` (jsonpath2 0.4.5), Python 3.11. Others may answer otherwise.

    python3.11 -m venv venv
    venv/bin/pip install 'chaostoolkit-lib[jsonpath]==1.44.0' jsonpath2==0.4.5
    venv/bin/python crates/chaos-experiments/tests/reference/generate.py

Each table has one JSON list per line: what is asked, then the answer. In place of an answer stands the text "refuses"
for an error that is meant for users, and "crashes" for any other; answers that could be mistaken for these are in a list
of one, and so is everything in the tables of values. Nothing here is random: the same versions write the same files.
"""

import copy
import itertools
import json
import os
import re
import sys
import warnings
from pathlib import Path

from chaoslib import substitute
from chaoslib.configuration import load_configuration
from chaoslib.exceptions import ChaosException
from chaoslib.hypothesis import ensure_hypothesis_tolerance_is_valid, within_tolerance
from jsonpath2.path import Path as JSONPath

warnings.simplefilter("ignore")
HERE = Path(__file__).parent


def asked(question):
    """The answer in a list, or how there is none."""
    try:
        return [question()]
    except ChaosException:
        return "refuses"
    except Exception:
        return "crashes"


def write(name, cases):
    lines, seen = [], set()
    for case in cases:
        try:
            line = json.dumps(case, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        except ValueError:
            # Infinite and NaN are no JSON.
            line = json.dumps([*case[:-1], "not finite"], ensure_ascii=True, separators=(",", ":"))
        if line not in seen:
            seen.add(line)
            lines.append(line)
    (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{name}: {len(lines)}")


# --- Tolerances ---------------------------------------------------------------------------------------------------

CONFIGURATION = {
    "word": "ok",
    "one": 1,
    "half": 0.5,
    "nothing": None,
    "yes": True,
    "pair": [1, 3],
    "three": [1, 2, 3],
    "range": {"type": "range", "range": [1, 2]},
    "mapping": {"a": 1},
    "pattern": "^o.$",
    "broken": "(",
    "path": "$.a",
    "no_path": "a.b",
    "dollar": "$",
    "nested": ["${word}", {"k": 1}],
}
SECRETS = {"scope": {"token": "s3cret", "word": "never"}, "other": {"token": "second", "two": 2}}

VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 200, 250, 299, 1.0, 0.0, 0.5, 2.5, 1e16, -0.0, 9007199254740993,
    "", "1", "2", "ok", "OK", "b", "ok\n", "True", "null", "[1, 2]", "{\"a\": 1}", "\"ok\"", "s3cret",
    [], [1], [1, 2], [2], [1, "a"], ["ok"], [None], [[1]], [1, [2]], [0, [1, 2], 0],
    {}, {"status": 200}, {"status": "200"}, {"status": 1}, {"status": True}, {"status": None}, {"status": [1]},
    {"a": 1}, {"a": {"status": 200}}, {"status": 0, "stdout": "ok\n"}, {"status": 200, "body": {"a": [1, 2]}},
    {"status": 200, "body": "{\"a\": [1, 2]}"}, {"status": 0.5}, {"b": None},
]

LITERALS = [
    True, False, 0, 1, 200, -1, 9007199254740993, "", "1", "ok", "OK", "True", "$$", "$",
    "${word}", "$word", "${one}", "${half}", "${nothing}", "${yes}", "${pair}", "${three}", "${range}", "${token}",
    "${two}", "${unknown}", "${one}${word}", "${dollar}",
    [], [1], [True], [200], [0, 1], [200, 299], [1, 3], [3, 1], [0.5, 2.5], ["a", "c"], ["a", 1], [None, None],
    [1, 2, 3], [None], [[1]], [[1], [3]], [[1, 1], [1, 3]], [[1, "a"], [1, "b"]], [{"a": 1}, {"a": 2}],
    ["${word}"], ["ok", "OK", "b"], [{"status": 200}], [200.0], ["2", "3"], [[], [9]], [False, True],
]

TEXTS = ["", "ok", "ok\n", "ok\n\n", "no\nok\nno", "a ok b", "OK", "foobar", "aa bb", "5", "$5", "x=1", "\u00e9\u00c9", "a\u0301",
         "\u0663", "\u00b2", "a\u200db", "\x1c", "\u00a0", "\u2028", "]", "[", "&", "a-z", "\\", "{", "a{b", "\x08", "_",
         "\u2040", "\u017f", "\u212a", "\u216b", "xx", "xxx", "A"]

PATTERNS = [
    "", "ok", "^ok$", "^ok\\Z", "\\Aok", "ok$", "(ok$|zz)", "ok$\\n", "(?m)^ok$", "(?m)ok$\\n", "(?m)^no\\Z", "[$]5", "\\$5", "[^$]5",
    "(?i)ok", "(?i:o)K", "(?-i:o)k", "(?i)(?m)^OK$", "o(?i)k", "(?s)o.*o", "o.*o.n", "(?x) o k  # c", "(?x)[ ]ok", "(?x: o ) k",
    "(?a)\\w", "(?a)\\d", "(?a)\\s", "(?u)\\w", "(?au)a", "(?L)a", "(?-a)a", "(?a-i:a)", "(?i-i:a)", "(?-)", "(?)", "(?z)a", "(?i",
    "\\w", "\\W", "\\d", "\\D", "\\s", "\\S", "[\\w]", "[^\\w]", "[\\W\\d]", "[^\\W]", "\\b", "\\B", "\\bok\\b", "o\\Bk", "\\Bo",
    "(\\w)\\1", "(?P<n>\\w)(?P=n)", "(?P<n>a)(?P<n>b)", "(?P=n)", "(?<n>a)", "(?P<1a>a)", "(?P<\u00e9>a)", "(?P>n)", "(?Pn)",
    "\\1", "(a\\1)", "(a)\\2", "(a)\\01", "\\101", "\\08", "\\400", "\\0", "\\x41", "\\x4", "\\u0041", "\\u004", "\\U00000041",
    "\\U00110000", "\\q", "\\z", "\\k", "\\_", "\\-", "\\", "\\a", "\\f\\v", "\\e", "\\8", "[\\8]", "[\\1]", "[\\b]", "[\\Z]", "[\\q]",
    "foo(?=bar)", "foo(?!bar)", "(?<=foo)bar", "(?<!foo)bar", "(?<=fo+)bar", "(?<=a|bc)d", "(?<=fo|ob)a", "(?<=(fo){1,1}o)b",
    "(?=o)*ok", "(?=z)*ok", "(?=z)+ok", "(?:(?=o))*ok", "(?:(?=o)){2}ok", "(?:(?=z))??ok", "(?i:(?=O))?+ok", "(?=(o))?\\1k", "(?:(?=(o)))??\\1k", "(?:)*ok", "()*ok", "(?>o*)k", "o*+k", "o++o", "x{2}+$", "x?+x", "x*?+", "x*+?",
    "a**", "a*?*", "*a", "+a", "?a", "^*a", "$*", "\\b*", "(?:^)*ok", "{", "}", "a{b", "{1}", "a{,}", "a{}", "x{,2}$", "^x{2}$", "^x{2,}$",
    "^x{2,3}$", "x{3,2}", "x{99999999999}", "^x{1,2}?$", "x{ 1}", "x{1 }",
    "[]a]", "[^]a]", "[[]", "[a-]", "[-a]", "[a-c-e]", "[a-\\d]", "[c-a]", "[", "[]", "[^]", "[a&&b]", "[a||b]", "[a--b]", "[a~~b]", "[[:alpha:]]",
    "[\\[]", "[\\]]", "[\\\\]", "[\\x41-\\x43]", "[\u00e0-\u00ef]", "(?i)[\u00e0-\u00ef]{2}", "(?i)\u00e9\u00e9", "(?i)S", "(?i)k", "(?ai)k", "[^a]",
    "(", ")", "(()", "a|", "|a", "()", "(?:", "(?#c)ok", "(?#c", "(?#)(?i)OK", "(a)?(?(1)a|o)k", "(?P<q>a)?(?(q)a|o)", "(?(1)a|b)",
    "(a)(?(2)a|b)", "(a)(?(1)a|b|c)", "(a)?(?(1))ok", "(a)?(?(1)|o)k", "(a)?(?(1)a)o", "(?(0)a)", "(?(x)a)", "(a)|(?(1)b|o)k",
    "\\N{BULLET}", "\\p{L}", "\\pL", "\\X", "\\R", "\\h", "\\G", "\\K", "\\Qa\\E", "(?R)", "(?|a)", "(?'n'a)", "(?~a)", "(?&n)", "(*FAIL)",
    "${pattern}", "$pattern", "${word}$", "${one}", "${broken}", "${unknown}", "^$$", "$$5", "o${nothing}",
]

PATHS = [
    "$", "$.a", "$.a[*]", "$.a[0]", "$[*]", "$..a", "$.a[?(@ > 1)]", "$.a[*][?(@ > 1)]", "$[?(@.a)]", "${path}", "${no_path}", "${one}",
    " $.a ", "\u00a0$.a", "a", "", " ", "$.length()", "$.b", "$[::0]", "$$.a", "$${path}", "$[\"${word}\"]",
]

BOUNDS = [[0, 1], [1, 3], [0.1, 0.3], [0.5, 0.5], [3, 1], [-1.5, 1e300], [False, True], [0, 9007199254740993], [9007199254740993, 9007199254740993],
          [0.3, 0.3], [1e-320, 1]]
NUMERALS = ["0.1", "0.3", "0.5", " 1 ", "1\n", "+1", "-1", "--1", "1_2", "_1", "1__0", "1e0", "1E-1", "1e999999999", "-1e999999999", "1e-999999999",
            "1e-99999999999999999999", "1e99999999999999999999", "0e99999999999999999999", "0e5", ".5", "5.", ".", "", "e1", "1e", "inf", "-Infinity",
            "nan", "sNaN", "NaN123", "0x1", "1,0", "\u0661", "\uff11", "\u00b2", "1 2", "\x1c1", "\u00a01", "1.000000000000000000000000000001",
            "0.99999999999999999999", "9007199254740993", "9007199254740992.9", "true", "0.30", "00001", "1e-320", "9e-321"]
TARGETS = ["a", "status", "stdout", "body", "missing", "", None, 0, 5, True, 1.5, [], [1], {}, {"a": 1}]


def tolerance_met(tolerance, value):
    """What the hypothesis does with a tolerance after the probe ran."""
    tolerance, value = copy.deepcopy(tolerance), copy.deepcopy(value)
    if isinstance(tolerance, str):
        tolerance = substitute(tolerance, CONFIGURATION, SECRETS)
    return bool(within_tolerance(tolerance, value, configuration=CONFIGURATION, secrets=SECRETS))


def tolerance_questions():
    small = VALUES[::2]
    for number, literal in enumerate(LITERALS):
        # Each with every third value and another third each time, and all values for some.
        some = VALUES if number % 6 == 0 else VALUES[number % 3::3]
        yield from ((literal, value) for value in some)
    yield from itertools.product(["${half}", "${nothing}"], [0.5, {"status": 0.5}, None, {"status": None}])
    for number, pattern in enumerate(PATTERNS):
        tolerance = {"type": "regex", "pattern": pattern}
        some = TEXTS[number % 3::3] if "\\" in pattern else TEXTS[number % 7::7]
        yield from ((tolerance, text) for text in [*some, "ok"])
    for value in small:
        yield {"type": "regex", "pattern": "1"}, value
    for target, value in itertools.product(TARGETS, [{"a": "1"}, {"stdout": "1\n", "status": 1}, {"body": {"a": 1}}, "1", None, [1]]):
        yield {"type": "regex", "pattern": "1", "target": target}, value
        yield {"type": "range", "range": [0, 1], "target": target}, value
        yield {"type": "jsonpath", "path": "$.a", "target": target}, value
    for path, value in itertools.product(PATHS, [{"a": 1}, {"a": [1, 2]}, [1, 2], "{\"a\": [1]}", "text", None, {"ok": 1}]):
        yield {"type": "jsonpath", "path": path}, value
    for count, value in itertools.product([0, 1, 2, "1", 1.0, True, False, None, [1]], [[], [5], [5, 6], "[1]"]):
        yield {"type": "jsonpath", "path": "$[*]", "count": count}, value
    expectations = [1, None, [], [1], [[]], [1, 2], "1", True, {"k": 1}, "${one}", "${pair}", ["${one}"], ["${word}", {"k": "${one}"}], [[1, 2]]]
    for expect, value in itertools.product(expectations, [[], [1], [1.0], [[]], [1, 2], [None], ["ok", {"k": 1}], [[1, 2]], [1, 3], [{"k": 1}]]):
        yield {"type": "jsonpath", "path": "$[*]", "expect": expect, "count": 7}, value
    for text in ["5", "null", " [1] ", "[1,]", "{\"a\": 1, \"a\": 2}", "\ufeff1", "'a'", "", "NaN", "\"\\u00e9\"", "[1e400]", "-0"]:
        yield {"type": "jsonpath", "path": "$", "expect": text}, text
        yield {"type": "jsonpath", "path": "$..*"}, text
        yield {"type": "jsonpath", "path": "$.a", "expect": 2}, text
    for bounds in BOUNDS:
        some = [*small, 0.1, 0.3, 0.30000000000000004, 9007199254740992, 1e300, 1e308, 1e-320]
        yield from (({"type": "range", "range": bounds}, value) for value in some)
    for number, numeral in enumerate(NUMERALS):
        yield from (({"type": "range", "range": bounds}, numeral) for bounds in BOUNDS[number % 2::4])


def valid_questions():
    yield from LITERALS
    yield from [1.5, None, 0.0, 1e300, {}, {"type": "other"}, {"type": ["regex"]}, {"type": None}, {"type": "Regex"}, {"range": [1, 2]}]
    yield {"type": "regex"}
    for pattern in [*PATTERNS, None, 5, True, [], ["a"], {}, 1.5]:
        yield {"type": "regex", "pattern": pattern}
    yield {"type": "jsonpath"}
    for path in [*PATHS, None, 5, True, [], ["$"], {}, "$.a\u00a0", "\x0b$.a\x0c", "$[", "$['a']", "\n"]:
        yield {"type": "jsonpath", "path": path}
    yield {"type": "jsonpath", "path": "$", "count": "x", "target": 5, "expect": None}
    yield {"type": "range"}
    for bounds in [*BOUNDS, None, 5, "12", "ab", {}, {"0": 1, "1": 2}, [], [1], [1, 2, 3], ["1", 2], [1, "2"], ["${one}", 2], [None, 1], [1, None], [[1], 2], [1.5, True]]:
        yield {"type": "range", "range": bounds}


# --- JSONPath -----------------------------------------------------------------------------------------------------

DOCUMENTS = {
    "vms": {"vms": [{"name": "web-01", "up": True, "cpu": 2, "tags": ["a", "b"]}, {"name": "web-02", "up": False, "cpu": 4.0, "tags": []},
                    {"name": "db", "cpu": 8, "my-key": None}], "n": 1, "k": "name", "or": 3, "deep": {"name": "x", "vms": {"name": ["y"]}}},
    "list": [0, 1, 2, 3, [4, [5]], "six", None, True, 1.5],
    "text": "h\u00e9llo",
    "odd": {"": 1, "a\\nb": 2, "a b": {"c": 3}, "\u00e9": 4, "a": {"a": {"a": 1}}, "b": [[1, 2], [3]], "i": -1, "t": True, "f": 1.0, "s": "a", "e": [], "o": {}},
}

PATH_LISTS = {
    "vms": [
        "$", "$.vms", "$.vms[*].name", "$..name", "$..*", "$.*", "$[*]", "$..[*]", "$..[0]", "$..[\"name\",\"n\"]", "$.vms..name", "$.deep..name..*",
        "$..vms", "$..vms..name", "$..*..name", "$.vms[0].name", "$.vms[-1].name", "$.vms[3]", "$.vms[-4]", "$.vms[0,2].name", "$.vms[0,0].n", "$.vms[0]..*",
        "$[\"vms\"][0][\"name\"]", "$[\"vms\",\"n\"]", "$[\"n\",\"missing\",\"k\"]", "$.missing", "$.n.x", "$.or", "$[\"or\"]", "$.and", "$.nothing", "$.nota",
        "$.vms[?(@.up = true)]", "$.vms[*][?(@.up = true)].name", "$.vms[*][?(@.up)].name", "$.vms[*][?(not @.up)].name", "$.vms[*][?(not not @.up)].name",
        "$.vms[*][?(@.up != true)].name", "$.vms[*][?(@.up = false)].name", "$.vms[*][?(@.cpu > 2)].name", "$.vms[*][?(@.cpu >= 4)].name",
        "$.vms[*][?(@.cpu < 4)].name", "$.vms[*][?(@.cpu <= 4)].name", "$.vms[*][?(2 < @.cpu)].name", "$.vms[*][?(@.cpu = 4)].name", "$.vms[*][?(@.name > \"a\")].name",
        "$.vms[*][?(@.up > 0)].name", "$.vms[*][?(@.up = 1)].name", "$.vms[*][?(@.name = \"db\" or @.up)].name", "$.vms[*][?(@.name = \"db\" or @.up and @.cpu > 4)].name",
        "$.vms[*][?(@.cpu > 4 and @.name = \"db\" or @.up)].name", "$.vms[*][?((@.cpu > 4 and @.name = \"db\") or @.up)].name",
        "$.vms[*][?(not @.up or @.cpu = 2)].name", "$.vms[*][?(not (@.up and @.cpu = 2))].name", "$.vms[*][?(@.tags[*] = \"b\")].name", "$.vms[*][?(\"b\" = @.tags[*])].name",
        "$.vms[*][?(@.tags[*] = @.tags[1])].name", "$.vms[*][?(@.tags[1] = @.tags[*])].name", "$.vms[*][?(@.tags[*] != @.tags[*])].name", "$.vms[*][?(@.tags = [])].name",
        "$.vms[*][?(@.tags = [\"a\", \"b\"])].name", "$.vms[*][?(@.my-key = null)]", "$.vms[*][?(@[\"my-key\"] = null)].name", "$.vms[*][?(@.missing = null)].name",
        "$.vms[*][?(@.missing != 1)].name", "$.vms[*][?(@.cpu = $.n)].name", "$.vms[*][?(@.cpu > $.n)].name", "$.vms[*][?($.n = 1)].name", "$.vms[*][?($.vms[*].cpu = @.cpu)].name",
        "$.vms[*][?(@.cpu = $.vms[*].cpu)].name", "$.vms[?(@[*].up)]", "$.vms[?(@[*].cpu > 7)][*].name", "$[?(@.n = 1)].k", "$[?(@)].k", "$[?($)].k", "$[?(true)].k", "$[?(false)].k",
        "$[?(0)].k", "$[?(1)].k", "$[?(\"\")].k", "$[?(\"x\")].k", "$[?([])].k", "$[?([0])].k", "$[?({})].k", "$[?({\"a\":0})].k", "$[?(null)].k", "$[?(0.0)].k", "$[?(-0)].k",
        "$[?(1 = 1.0)].k", "$[?(true = 1)].k", "$[?(\"1\" = 1)].k", "$[?([1] = [true])].k", "$[?({\"a\":1,\"b\":2} = {\"b\":2,\"a\":1})].k", "$[?({\"a\":1,\"a\":2} = {\"a\":2})].k",
        "$[?(null = null)].k", "$[?(null != false)].k", "$[?(1 < true)].k", "$[?(0 < true)].k", "$[?(\"a\" < \"b\")].k", "$[?([1] < [2])].k", "$[?(1e2 = 100)].k", "$[?(1E+2 = 100)].k",
        "$[?(1.5 > 1)].k", "$.vms.length()", "$.vms[length()]", "$.vms[*].name.length()", "$.vms[*].tags.length()", "$.length()", "$.n.length()", "$.vms.keys()", "$.deep.keys()",
        "$.deep.values()", "$.deep.entries()", "$.vms[0].entries()[*][1]", "$.vms[0].entries()..*", "$.vms[0].tags.entries()", "$.vms[0].tags.values()", "$.vms[0].keys()[0].charAt(0)",
        "$.deep.values()[0]", "$.deep.values()[*].name", "$.deep.keys()[?(@[0] = \"name\")]", "$.vms[*][?(@.tags.length() > 1)].name", "$.vms[*][?(@.name.length() = 2)].name", "$.vms.length().x",
        "$.vms[*].name.charAt(0)", "$.vms[*].name.substring(0,3)", "$.vms[*].name.charAt(@.length())", "$.k.charAt($.n)", "$.k.substring($.n)", "$.k.substring($.n,3)", "$.k.substring(1,$.vms[*].cpu)",
        "$.vms[$.n].name", "$.vms[0][$.k]", "$.vms[*][$.k]", "$[$.k]", "$[@.k]", "$.vms[@[0].cpu].name", "$.vms[@.length()]", "$.deep[$.vms[*]]", "$.deep[$.deep.keys()[*]]", "$.vms[$.vms[*].cpu]", "$.vms[$.vms[0].up].name",
        "$..[?(@.name)].name", "$..[?(@.cpu)].name", "$..vms[*].name", "$..tags[0]", "$..[0,1]", "$..[length()]", "$..length()", "$.vms[0:2].name", "$.vms[*,0].name", "$.vms[?(@),0].name", "$.vms[*][\"name\",\"cpu\"]",
        "$ . vms [ 0 ] . name", "$\n.\tvms\r", "$.vms [*] [?( @ . up = true )] . name", "$.vms[0].name.length ( )", "$.vms[?(@..name = \"db\")]..cpu", "$[?(@..name[*] = \"y\")].n", "$..*.name", "$.vms[ 0 , 1 ].name",
    ],
    "list": [
        "$[0]", "$[-1]", "$[-9]", "$[-10]", "$[9]", "$[-0]", "$[00]", "$[01]", "$[1.0]", "$[1e0]", "$[1:3]", "$[:3]", "$[6:]", "$[:]", "$[::]", "$[::2]", "$[1::3]", "$[:5:2]", "$[1:7:2]", "$[-2:]", "$[:-6]", "$[-4:-2]",
        "$[-100:2]", "$[5:100]", "$[100:]", "$[:-100]", "$[3:1]", "$[3:1:-1]", "$[3:-12:-1]", "$[-1:0:-1]", "$[::-1]", "$[5::-1]", "$[:3:-1]", "$[20:3:-2]", "$[21:3:-2]", "$[3:-20:-3]", "$[::0]", "$[1:2:0]", "$[0:0]",
        "$[-99999999999999999999:2]", "$[99999999999999999999]", "$[-99999999999999999999]", "$[0:2,3]", "$[0:2,0:2]", "$[1:a]", "$[1:2:3:4]", "$[:,1]", "$[1 : 3]", "$[--1]", "$[+1]", "$[*]", "$[*][*]", "$..*", "$..[0]", "$..[-1]", "$..[1:]", "$[4]..[0]",
        "$.length()", "$.keys()", "$.values()", "$.entries()", "$.values()[1:3]", "$.keys()[-1]", "$.entries()[*][0]", "$.entries()[4][1]", "$[length()]", "$.length(1)", "$.length(@)", "$.keys(@.x)", "$[*].length()", "$[*].keys()", "$.charAt(0)", "$.substring(0)",
        "$[*][?(@ = 1)]", "$[*][?(@ != 1)]", "$[*][?(@ > 1)]", "$[*][?(@ <= 1)]", "$[*][?(@ = null)]", "$[*][?(@ = \"six\")]", "$[*][?(@ = [4,[5]])]", "$[*][?(@[0])]", "$[?(@[*] = 3)][0]", "$[?(@[0] = 0)].length()", "$[$[1]]", "$[$[*]]", "$[@[2]]", "$[@[7]]", "$[@[8]]", "$[$.length()]",
        "$[*][?(@ >= 1 and @ < 3)]", "$[*][?(1)]", "$.a", "$[\"0\"]", "$.0", "$[?(@[*][*] = 4)][5]", "$..[?(@ = 5)]", "$..[?(@[0] = 5)]", "$[?(@[99:0:0])]",
    ],
    "text": [
        "$.length()", "$.charAt(0)", "$.charAt(1)", "$.charAt(4)", "$.charAt(5)", "$.charAt(-1)", "$.charAt(-5)", "$.charAt(-6)", "$.charAt(true)", "$.charAt(false)", "$.charAt(1.0)", "$.charAt(\"1\")", "$.charAt()", "$.charAt(1,2)", "$.charAt(null)",
        "$.charAt(99999999999999999999)", "$.substring(1)", "$.substring(-2)", "$.substring(1,3)", "$.substring(3,1)", "$.substring(0,-1)", "$.substring(-3,-1)", "$.substring(9)", "$.substring(-9)", "$.substring(-9,9)", "$.substring(true,3)", "$.substring()",
        "$.substring(1.5)", "$.substring(1,2,3)", "$.substring(0,99999999999999999999)", "$[charAt(1)]", "$[substring(1,2),length()]", "$.keys()", "$.values()", "$.entries()", "$[0]", "$[*]", "$..*", "$.charAt(0).length()", "$.substring(1).substring(1)", "$[?(@ = \"h\u00e9llo\")]",
        "$[?(@.length() = 5)]", "$[?(@.charAt(1) = \"\u00e9\")]", "$.charAt(@.length())", "$.charAt(@.missing)", "$.substring(@.length(),1)", "$[?(@)]", "$[0:2]", "$.Length()", "$.size()", "$.charat(0)", "$.length", "$.length()()",
    ],
    "odd": [
        "$[\"\"]", "$[\"a\\nb\"]", "$[\"a\\\\nb\"]", "$[\"a b\"]", "$[\"a b\"].c", "$.a b", "$.a b.c", "$[\"\u00e9\"]", "$.\u00e9", "$[\"\\u00e9\"]", "$[\"\\x\"]", "$[\"a\nb\"]", "$[\"a\\\"b\"]", "$['a']", "$[a]", "$[\"a\"", "$\"a\"", "$[\"a\"]]", "$.a.a.a", "$..a", "$..a.a", "$..a..a", "$..a[\"a\"]",
        "$.b[*][*]", "$.b[*][0]", "$.b[*][-1]", "$..b[*]", "$.b[$.i]", "$.b[$.t]", "$.b[$.f]", "$[$.s].a", "$[@.s]", "$[$.s,$.i]", "$[$.missing]", "$.e[*]", "$.o[*]", "$.e.length()", "$.o.length()", "$.o.keys()", "$.e.entries()", "$.o.entries()", "$.o.values()", "$..e", "$.a[?(@.a)]", "$.a[?(@.a)].a[?(@.a)]",
        "$..[?(@.a)]", "$..[?(@.a.a)].a", "$.b[0][?(@[0] < @[1])]", "$.b[?(@[0][0] < @[0][1])]", "$.b[*][?(@.length() > 1)]", "$[\"s\",\"t\",\"f\",\"i\"]", "$.*.length()", "$[?(@.i = -1)].s", "$[?(@.i = - 1)].s", "$[?(@.f = 1)].s", "$[?(@.f = @.t)].s", "$[?(@.e = [])].s", "$[?(@.o = {})].s", "$[?(@.e)].s",
        "$[?(@.i<0)].s", "$[?(@.i<=-1)].s", "$[?(@.i>-2)].s", "$[?(@.i!=0)].s", "$[?(@.i==-1)].s", "$[?(@.i <> 0)].s", "$[?(@.i =! 0)].s", "$[?(@.s = 'a')]", "$[?(@.s =~ \"a\")]", "$[?(@.s in [\"a\"])]", "$[?@.s]", "$[(@.s)]", "$[?()]", "$[?(@.s) ]", "$[?(@.s]", "$[?(@.s and)]", "$[?(and @.s)]", "$[?(@.s @.t)]", "$[?(not)]",
        "$[?(@.s && @.t)]", "$[?(!@.s)]", "$[?(nota)]", "$[?(s)]", "$[?(not@.s)].s", "$[?(@.s and@.t)].s", "$[?(@.s or@.missing)].s", "$[?(notnot @.s)]", "$[?(@.sand @.t)].s", "$[?((@.s))].s", "$[?((@.s) = \"a\")]", "$[?(@.i + 1 = 0)]", "$[?(@.s = True)]", "$[?(@.t = true)].s", "$[?(@.i = 01)]", "$[?(@.i = 1.)]", "$[?(@.i = .5)]",
        "$[?(@.i = 1e)]", "$[?(@.i = {a:1})]", "$[?(@.i = {\"a\"})]", "$[?(@.i = [1,])]", "$[?(@.i = {\"a\":1,})]", "$[?(@.i = [1 2])]", "$[?(@.i < 1 < 2)]", "$[?(@.i = 1e01)]", "$[?(@.i = 1e00)]", "$[?(@.a = {\"a\":{\"a\":1}})].s", "$[?(@[\"a\\nb\"] = 2)].s", "$[?(@.s = \"\\u0061\")].s", "$[?(\"\\n\" = \"\\u000a\")].s",
        "", " ", "$$", "$.", "$..", "$...a", "$.a.", "$.a..", "$.a[]", "$[", "$]", "$[,]", "$[0,]", "@", "@.a", "a", "$a", "$.a$", "$.a@", "$ a", "$.[0]", "$..[0]", "$.[\"a\"]", "$.\"a\"", "$.'a'", "$.*a", "$.**", "$.a-b", "$.-a", "$._", "$.a_1", "$.1a", "$.a.1", "$.true", "$.null", "$.not", "$.trueish", "$[true]", "$[null]", "$[@]", "$[$]", "$[?]", "$.a()", "$.keys(",
        "$.keys)", "$.keys(,)", "$.charAt(1,)", "$.charAt(a)", "$.charAt([0])", "$.charAt({})", "$.keys().length()", "$[keys()][0]", "$[keys]", "$[keys().length()]", "$[$.a.a,\"s\"]", "$.s.charAt($.b[*][*])", "$.s.substring($.b[0][*],$.b[0][*])", "$#", "$.a;", "$.a,b", "$.a:b", "$.a|$.b", "$.a\u00a0", "\ufeff$", "$.{", "$.s.charAt(-1)", "$.s.charAt(- 1)",
    ],
}


def found(path, document):
    try:
        parsed = JSONPath.parse_str(path)
    except ValueError:
        return "refuses"
    return asked(lambda: [match.current_value for match in parsed.match(document)])


# --- Substitution, environment, texts -----------------------------------------------------------------------------

TEMPLATES = [
    "", "$", "$$", "$$$", "$$$$", "${", "${}", "$}", "${word", "$word", "${word}", " ${word}", "${word} ", "${word}\n", "\n${word}", "$word$word", "${word}${word}", "$word}", "{$word}",
    "${one}", "$one", "x${one}", "${half}", "v${half}", "${nothing}", "v${nothing}", "${yes}", "v${yes}", "${pair}", "v${pair}", "${mapping}", "v${mapping}", "${nested}", "v${nested}", "${range}",
    "${token}", "v${token}", "${two}", "v${two}", "${unknown}", "$unknown", "v${unknown}", "$${word}", "$$word", "$$$word", "$$${word}", "$$$$word", "${word-x}", "${word.x}", "${ word}", "${word }",
    "${1}", "$1", "${_}", "$_", "${WORD}", "$Word", "${w\u00f6rd}", "$w\u00f6rd", "$word\u00e9", "${word\u00e9}", "$word1", "$word_", "$word-", "$wor\u017f", "$\u212aey", "a$", "a$ b", "$(word)", "$[word]", "${{word}}", "${${word}}", "$${", "$$}", "100%", "%(word)s", "{word}",
    "${dollar}word", "${dollar}{word}", "$dollar$dollar", "\\$word", "$\\word", "$\nword", "${word}$", "$${word}$$", "${one}${two}", "${one} ${two} ${token} ${unknown} $$",
    ["${one}", "x$one", ["${word}", None]], {"${word}": "${word}", "k": {"${one}": ["$one", {"d": "${half}"}]}}, [], {}, [[]], [{}], {"a": []}, None, True, 5, 0, 1.5, ["$$", 1, True],
    "${t\u0131}", "${empty}", "x${empty}", "${unicode}", "<${unicode}>", "<${quotes}>", "<${float}>", "<${big}>", "<${escape}>",
]
MORE = {"empty": "", "unicode": "\u00e9\u200b", "quotes": ["it's", "\"", "'\""], "float": [1e16, 1e-5, 1.0], "big": 18446744073709551615, "escape": ["\u200b\n\x00\u00a0"]}

SCALARS = [
    "", " ", "0", "1", "-1", "+5", "-0", "--1", "+-1", "007", " 12 ", "\t12\n", "\u00a012\u2003", "\x1c12", "1_000", "1__0", "_1", "1_", "1_0_0", "-_1", "+1_0", "1 0", "0x10", "1e3", "1.5", "1.0", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1" * 30, "\u0661\u0662", "\uff11", "\u00b2", "\u0661_\u0662", "\U0001d7d9\U0001d7ec",
    ".5", "5.", ".", "1e", "e1", "1e5", "1E5", "1e+5", "1e-5", "1e400", "-1e400", "1e-400", "1_0.0_1", "1_.0", "1._0", "1e1_0", "1e_1", "inf", "-inf", "+infinity", "Infinity", "iNF", "nan", "NaN", "-nan", "infin", "0.1", "1,5", "1f", "1d", "1L", "1j",
    "true", "True", "TRUE", "false", "False", "FALSE", "no", "NO", "nO", "yes", "off", "on", "n", "f", " false", "false ", "0.0", "00", "none", "null",
    "[]", "{}", "[1, 2]", "{\"a\": 1}", "{\"a\": 1, \"a\": 2}", "\"x\"", "'x'", "[1,]", "{", "1.0", "\"\\u00e9\"", "NaN", "-Infinity", "[NaN]", " 1 ", "\n[1]\n", "\u00a01", "[01]", "[1]x", "\"a\nb\"", "\ufeff1", "1e2", "true false", "text", "\u00e9",
]
TYPES = ["str", "string", "int", "integer", "float", "number", "bool", "json", "bytes", None, "", "Int", "boolean", "list", 5]
DEFAULTS = ["", "5", " 5 ", "x", "no", "[1]", 5, -5, 0, 2.7, -2.7, 1e20, True, False, None, [], [1], {}, {"a": 1}, 1.0, 18446744073709551615]

FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 0.5, 2.5, 100.0, 123456.789, 1e15, 1e16, 1e17, 123456789012345.6, 1234567890123456.7, 12345678901234567.0, 9999999999999998.0, 1e21, 1e22, 1e23, 1.5e300, 1e308, 1.7976931348623157e308, 0.001, 0.0001, 0.00012345, 0.00001,
          1e-5, 1.5e-5, 1e-7, 1e-100, 5e-324, 2.2250738585072014e-308, -1e16, -1e-5, 1 / 3, 2 / 3, 1e100, 4.35, 0.30000000000000004, 1e5, 1e-4, 9.999e-5]
CHARACTERS = ["", "a", "it's", "\"", "'\"", "'", "\\", "\\'", "\n", "\r", "\t", "\0", "\x07", "\x1b", "\x1f", " ", "\x7f", "\x80", "\x9f", "\u00a0", "\u00ad", "\u00e9", "\u0300", "\u0378", "\u061c", "\u1680", "\u180e", "\u200b", "\u200d", "\u2000", "\u2028", "\u2029", "\u202e",
              "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff", "\ufffd", "\uffff", "\ue000", "\U0001f600", "\U000e0001", "\U000f0000", "\U0010ffff", "\u4e2d", "\u0378x", "a\u200bb'", "\ufdd0", "\uff01", "\u2065"]
TRUTHS = [None, True, False, 0, 0.0, -0.0, 1, -1, 0.1, 5e-324, "", " ", "0", "false", [], [0], [[]], {}, {"": None}, {"status": 1}, 1e300, "\0"]


def text_values():
    yield from FLOATS
    yield from CHARACTERS
    yield from [None, True, False, 0, -1, 9223372036854775807, -9223372036854775808, 18446744073709551615]
    yield from ([value] for value in [*FLOATS[:12], *CHARACTERS])
    yield from ([], {}, [[]], [{}], {"a": []}, {"it's": "\""}, {"a": None, "b": [True, {"c": 1.0}]}, {"\n": "\u200b"}, [1, 2.0, "x", None, [False]], {"\u00e9": "\u00e9"}, {"": ""})


def environment(kind, text):
    os.environ["REFERENCE_VALUE"] = text
    declared = {"type": "env", "key": "REFERENCE_VALUE", "env_var_type": kind}
    return plain(load_configuration({"key": declared})["key"])


def default(kind, value):
    os.environ.pop("REFERENCE_VALUE", None)
    declared = {"type": "env", "key": "REFERENCE_VALUE", "env_var_type": kind, "default": value}
    return plain(load_configuration({"key": declared})["key"])


def plain(value):
    """Bytes as the text that they are."""
    return value.decode() if isinstance(value, bytes) else value


def environment_questions():
    for text in SCALARS:
        # A variable cannot hold a null character.
        for kind in ["int", "float", "bool", "json"]:
            yield [kind, "text", text, asked(lambda: environment(kind, text))]
    for kind in TYPES:
        for text in ["5", "", "no"]:
            yield [kind, "text", text, asked(lambda: environment(kind, text))]
        for value in DEFAULTS:
            yield [kind, "default", value, asked(lambda: default(kind, value))]


def main():
    if sys.version_info[:2] != (3, 11):
        sys.exit("the tables are those of Python 3.11")
    # Patterns are compiled once each otherwise, and what crashed the first time is found the second time.
    re.purge()
    names = {"configuration": CONFIGURATION, "secrets": SECRETS}
    write("tolerance", itertools.chain([[names, None, None]], ([t, v, asked(lambda: tolerance_met(t, v))] for t, v in tolerance_questions())))
    write("tolerance_valid", ([t, asked(lambda: ensure_hypothesis_tolerance_is_valid(copy.deepcopy(t)))] for t in valid_questions()))
    documents = [[name, document, None] for name, document in DOCUMENTS.items()]
    write("jsonpath", itertools.chain(documents, ([name, path, found(path, DOCUMENTS[name])] for name, paths in PATH_LISTS.items() for path in paths)))
    names = {"configuration": {**CONFIGURATION, **MORE}, "secrets": SECRETS}
    write("substitution", itertools.chain([[names, None]], ([t, asked(lambda: substitute(t, names["configuration"], SECRETS))] for t in TEMPLATES)))
    write("env_types", environment_questions())
    write("text", ([value, [str(value)]] for value in text_values()))
    write("truthy", ([value, [bool(value)]] for value in TRUTHS))


if __name__ == "__main__":
    main()
