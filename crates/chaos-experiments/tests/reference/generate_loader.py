"""Asks PyYAML and Python's json what they make of the texts below, and records the answers in yaml.jsonl and json.jsonl.

How to run it, in this directory, with PyYAML 6 beside (Chaos Toolkit reads its experiments with both):

    python generate_loader.py

Each line of the two files is one case: {"text": ..., "value": ...} or {"text": ..., "refused": ...}. What JSON cannot
hold, or what a reader may round, is written with a marker: {"$float": "nan"}, {"$float": "0.1"}, {"$int": "<digits>"} and
{"$iso": "2020-01-01"}. Mappings are {"$map": [[key, value], ...]}, so that order and odd keys are kept; keys are what
json.dumps makes of them. The tests of the crate compare every case with what it reads itself.
"""

import datetime
import json
import pathlib

import yaml

# Each of these stands as the value of a key, in a block mapping.
SCALARS = """
yes|Yes|YES|yEs|no|No|NO|nO|on|On|ON|oN|off|Off|OFF|oFF|true|True|TRUE|tRUE|false|False|FALSE|fALSE|y|Y|n|N|t|f
~|null|Null|NULL|nULL|none|None|nil|~~
0|-0|+0|00|1|-1|+1|12345|1_000|_1|1_|1__0|-1_000|+1_000|0_|0_7|07|010|0755|-010|+010|08|09|0o17|0O17|0_8|018
0b0|0b101|-0b101|+0b11|0b1_1|0b|0b2|0b_|0B1|0x10|0xff|0xFF|-0x1f|+0x1_f|0x|0x_|0xg|0X1F
18446744073709551615|18446744073709551616|-9223372036854775808|-9223372036854775809|123456789012345678901234567890
0xffffffffffffffff|0x10000000000000000|-0x10000000000000000|0777777777777777777777777777|0b1111111111111111111111111111111111111111111111111111111111111111111
12:30:45|1:1|-1:30|+1:30|1:60|1:59|0:30|01:30|12:3|1_0:30|190:20:30|9999999999999999999:0:0|12:30:45:15|1:2:3:4:5:6:7:8:9:10:11:12:13
1.0|1.|.5|-.5|+.5|-1.5|+1.5|1_000.5|1.5_5|1._5|._5|0.1|00.5|01.5|1e3|1E3|1.e3|1.0e3|1.0e+3|1.0E-3|1.5e+|1.5e+03|-1.5e-3|1e+3|.5e+2|.5E3
1.0e+400|-1.0e+400|1.0e-400|123456789.123456789|0.30000000000000004|5.0e-324|1.7976931348623157e+308|9007199254740993.0
.inf|.Inf|.INF|.iNF|-.inf|+.inf|-.INF|.nan|.NaN|.NAN|.Nan|-.nan|+.nan|inf|nan|NaN|Infinity|-Infinity
190:20:30.15|-190:20:30.15|1:30.|1:60.5|0:0.5|1:2:3.25|1_0:30.5
2020-01-01|2020-1-1|2020-13-01|2020-02-30|2020-02-29|2021-02-29|1900-02-29|2000-02-29|0000-01-01|0001-01-01|9999-12-31|20200101|2020-01
2001-12-14t21:59:43.10-05:00|2001-12-14T21:59:43Z|2001-12-14 21:59:43.10 -5|2001-12-14 21:59:43|2001-12-14 21:59:43.|2001-1-4 1:59:43
2001-12-14 21:59:43.123456789|2001-12-14 21:59:43.000000|2001-12-14 21:59:43 Z|2001-12-14 21:59:43z|2001-12-14 21:59:43+0|2001-12-14 21:59:43-00:00
2001-12-14 21:59:43 +05:30|2001-12-14 21:59:43+24:00|2001-12-14 21:59:43-23:59|2001-12-14 24:00:00|2001-12-14 23:60:00|2001-12-14 23:59:60|2001-12-14 21:59
2001-12-14 21:59:43+23:60|2001-12-14 21:59:43+1:5|2001-12-14  	21:59:43	+01:00|2001-12-14x21:59:43
=|==|<<|<|!|! 5|! yes|! '5'|! "yes"|! |!!str 5|!!str yes|!!str|!!str ''|!!str 2020-01-01|!!int 5|!!int '5'|!!int "0x1f"|!!int 5.0|!!int x|!!int ''|!!int 08
!!int 0o17|!!int '1:30'|!!int "1_0"|!!bool yes|!!bool 'on'|!!bool TRUE|!!bool tRuE|!!bool 1|!!bool x|!!bool y|!!float 1|!!float 1e3|!!float '1.5'
!!float .inf|!!float nan|!!float x|!!float 1:30|!!null x|!!null ''|!!null|!!timestamp 2020-01-01|!!timestamp '2020-1-1'|!!timestamp x
!!seq [1, 2]|!!seq 1|!!seq {a: 1}|!!map {a: 1}|!!map 1|!!map [a]|!!str [a]|!!str {a: 1}|!!str {=: x}|!!int {=: 1}
!!python/none|!!python/object/apply:os.system [x]|!!python/name:os.system|!!python/tuple [1]|!!binary aGk=|!!set {a, b}|!!omap [a: 1]|!!pairs [a: 1]
!x y|!x|!<tag:yaml.org,2002:str> 5|!<tag:yaml.org,2002:int> "5"|!<!x> 5|!!unknown x|!u!x y
'yes'|"yes"|'1'|"1"|'~'|''|""|'it''s'|"a\\tb"|"\\x41"|"\\u00e9"|"\\U0001F600"|"\\q"|"\\/"|"\\ "|"\\_"|"\\N"|"\\L"|"\\P"|"\\e"|"\\0"|"\\a\\b\\v\\f\\r"|"a\\
a b|a  b|a: b|a:b|a :b|a#b|a #b|a # b|- a|-a|--|---|...|?|? a|:|:a|a:|'a' b|"a" b|[a|a]|a]|{a|a}|@a|`a|%a|&a|*a|*|&|& a|\\|"|'|a'b|a"b|,a|a,b|| a|>a|http://x/y?z=1&a=b#c|é|😀|a\\nb|$x|${x}|$$|<a>|^a|(a)|;a
[]|[a]|[a, b]|[a, ]|[a, , b]|[, a]|[a b]|[a: b]|[a:b]|["a":b]|['a': b]|[a, b: c]|[[a], [b]]|[{a: 1}]|[yes, 1, 1.5, ~, '1']|[http://x]|[a|[a]]
{}|{a}|{a: }|{a: 1}|{a:1}|{a : 1}|{"a":1}|{'a':1}|{"a" :1}|{a: 1, }|{a: 1,, b: 2}|{a: 1 b: 2}|{? a : 1}|{: a}|{a: [b]}|{[a]: b}|{{a: 1}: b}|{a: 1, a: 2}|{1: a}|{yes: a}|{~: a}|{1.5: a}|{url: http://x:80/y, b: c}|{a: b: c}
""".strip("\n")

# Each of these is a whole text. In the Python source "\\n" is a line break.
DOCUMENTS = [
    "", "\n", " ", "# only\n", "---", "---\n", "...", "{}", "[]", "x", "5", "~", "- a\n- b", "a: 1", "a: 1\n", "\na: 1", "---\na: 1", "--- \na: 1\n...\n", "--- a: 1", "--- {a: 1}",
    "a: 1\n---\nb: 2", "a: 1\n...\n---\nb: 2", "a: 1\n---", "a: 1\n...", "a: 1\n...\n# end\n", "---\n---\na: 1", "a: 1\n... b", "%YAML 1.1\n---\na: yes", "%YAML 1.2\n---\na: yes", "%YAML 2.0\n---\na: 1", "%YAML 1.1\na: 1", "%FOO bar\n---\na: 1",
    "%TAG !y! tag:yaml.org,2002:\n---\na: !y!str 5", "%TAG !e! tag:example.com,2000:\n---\na: !e!x 5",
    "a: 1\na: 2", "a: 1\nb: 2\na: 3", "a: {x: 1}\na: {y: 2}", "1: a\n'1': b", "yes: a\n'true': b", "yes: a\nno: b\n~: c", "on: push", "1.5: a\n1.0: b\n1e3: c\n0x10: d\n010: e", "1_0: a", "0.00001: a\n1.0e+20: b", "-0: a", "-1: a", ".5: a", "'': a", ": a", "? a", "?\n: b", "? a\n: b", "? a\n? b", "? [a]\n: b", "? {a: 1}\n: b", "? - a\n: b", "? |\n  x\n: b", "? a b\n: c", "a b: c", "a  b : c", "'a': 1", "\"a\\tb\": 1", "! 'a': 1", "!!str 1: a", "!!int '1': a", "=: a", "x: {=: a}", "a/b: {~c: 1}", "é: ü", "12345678901234567890123: a", "2020-01-01: a", "true: a\n1: b", "1: a\n1.0: b",
    "a:\n  b: 1\n  c: 2", "a:\n- 1\n- 2", "a:\n  - 1\n  - 2", "a:\n  - b: 1\n    c: 2\n  - d: 3", "a:\n  -\n    b: 1", "a:\n  - - 1\n    - 2\n  - - 3", "a:\n -  b:  1\n    c: 2", "a:\n  b: 1\n c: 2", "a:\n    b: 1\n  c: 2", "a: 1\n b: 2", " a: 1\n b: 2", " a: 1\nb: 2", "a:\nb:", "a:\n\n\n  b: 1", "a:\n# c\n  b: 1", "a:\n  b: 1\n# c\n  c: 2", "- a\nb: 1", "a: 1\n- b", "a: - b", "a: b: c", "a: b:", "a:\n  b\n  c", "a: b\n c", "a: b\n\n c", "a: b\n  # c\n  d", "a: b # c\n", "a: b#c", "a: 'b\n c'", "a: \"b\n c\"", "a: \"b\\\n  c\"", "a: \"b\n\n c\"", "a: 'b\nc'", "a: \"b\n---\nc\"", "a: 'b", "a: \"b", "a: [b", "a: {b: c", "a: [b\n, c]", "a: [\nb,\nc\n]", "a: {\nb: 1,\nc: 2\n}", "a: {b: 1,\nc: 2}", "a: [b,\n# c\nd]", "a: ]", "a: }", "{a: 1", "{a: 1}}", "[a, b", "{\"a\": 1, \"b\": [true, null]}", "{\n\t\"a\": 1,\n\t\"b\": 2\n}", "\ta: 1", "a:\t1", "a: \t1", "a: 1\t", "a:\n\tb: 1", "a:\n  b: 1\n\tc: 2", "a: [1,\t2]", "a:\n  - 1\n  -\t2", "- \ta", "a: 1 \t# c", "a: |\n  x\n\ty", "a: b\tc", "a:\n  b:\t c",
    "a: |\n  x\n  y\n", "a: |\n  x", "a: |-\n  x\n", "a: |+\n  x\n\n", "a: |\n  x\n\n\nb: 1", "a: |+\n  x\n\n\nb: 1", "a: |-\n  x\n\n\nb: 1", "a: >\n  x\n  y\n", "a: >-\n  x\n  y\n", "a: >+\n  x\n  y\n\n", "a: >\n  x\n\n  y\n", "a: >\n  x\n   y\n  z\n", "a: >\n  x\n\n   y\n\n  z\n", "a: |2\n   x\n", "a: |1\n  x\n", "a: |2-\n   x\n", "a: |-2\n   x\n", "a: |0\n  x\n", "a: | x\n", "a: | # c\n  x\n", "a: |\n", "a: |\nb: 1", "a: |-\n", "a: |+\n\n\nb: 1", "a: |\n\n  x\n", "a: |\n   \n  x\n", "a: |\n  x\n # c\nb: 1", "a: |\n  x\n  # c\nb: 1", "a: |\n  x  \n", "a: >\n  x  \n  y\n", "a: |\n  x\r\n  y\r\n", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2", "a: |\n  \tx\n", "a: |\n  'x'\n  \"y\"\n  # z\n", "- |\n x\n- >\n y\n", "a: !!str |\n  5\n", "a: !!int |\n  5\n", "a: >\n\n\n  x\n", "a: >\n  x\n  \ty\n  z\n",
    "a: &x 1\nb: *x", "a: &x {p: 1}\nb: *x", "a: &x [1]\nb: [*x, *x]", "a: *x", "a: *x\nb: &x 1", "a: &x 1\nb: &x 2\nc: *x", "a: &x [*x]", "a: &x {b: *x}", "&x a: 1\nb: *x", "&k a: 1\n*k : 2", "a: &x b\n*x : c", "a: &x 1\n*x : c", "a: &x [b]\n*x : c", "a: &x\nb: *x", "a: &x !!str 5\nb: *x", "a: !!str &x 5\nb: *x", "a: &x &y 1", "a: !!str !!int 5", "a: & 1", "a: *", "&r\na: 1", "&r {a: 1}", "a: &x-1.2/y 1\nb: *x-1.2/y", "a: [&x 1, *x]", "a: {k: &x 1, l: *x}", "a: &x yes\nb: *x", "a: *x,\nb: 1", "a: &é 1\nb: *é", "--- &r\na: 1\n",
    "x: &x {p: 1}\ny: {<<: *x}", "x: &x {p: 1}\ny: {<<: *x, q: 2}", "x: &x {p: 1}\ny: {q: 2, <<: *x}", "x: &x {p: 1}\ny: {p: 2, <<: *x}", "x: &x {p: 1}\ny: {<<: *x, p: 2}", "x: &x {p: 1, q: 1}\ny: &y {q: 2, r: 2}\nz: {<<: [*x, *y]}", "x: &x {p: 1, q: 1}\ny: &y {q: 2, r: 2}\nz: {<<: [*y, *x], r: 3}", "x: &x {key: 1}\ny: &y {key: 2}\nz: {<<: [*x, *y]}", "x: &x {key: 1}\ny: &y {key: 2}\nz: {<<: *x, <<: *y}", "x: &x {key: 1}\ny: {<<: [*x, *x]}", "x: &x {aa: 1}\ny: &y {<<: *x, bb: 2}\nz: {<<: *y, cc: 3}", "x: &x {aa: 1}\ny: &y {<<: *x, aa: 2}\nz: {<<: *y, bb: 3}", "y: {<<: {a: 1}}", "y: {<<: [{a: 1}, {b: 2}]}", "<<: {a: 1}\nb: 2", "b: 2\n<<: {a: 1}", "<<: 5\na: 1", "<<: [5]\na: 1", "<<: []\na: 1", "<<: {}\na: 1", "<<:\na: 1", "<<: [{a: 1}, [b]]", "'<<': {a: 1}", "\"<<\": 1", "!!str <<: {a: 1}", "a: <<", "- <<", "a: [<<]", "<<: {<<: {a: 1}, b: 2}\nc: 3", "? <<\n: {a: 1}", "<<: &x {a: 1}\nb: *x", "x: &x {aa: {bb: 1}}\ny:\n  <<: *x\n  cc: 1\n", "x: &x [a]\ny: {<<: *x}", "<<: {a: .nan}\nb: 1", "x: &x {aa: 1, bb: 2}\ny: {bb: 3, <<: *x, cc: 4}",
    "a: \"\\ud83d\\ude00\"", "a: \"\\ud800\"", "a: '\\n'", "a: \u00a0b", "a: b\u0085 c", "a: b\u2028 c", "a: \u0007", "a: \"\u0007\"", "a: \u007f", "a: b\ufeffc", "\ufeffa: 1", "a: \ufeffb", "a: '\t'", "a: \"\\x4\"", "a: \"\\uD8\"", "a: \"\\U00110000\"", "a: \"\\U0000\"", "a: \U0010ffff", "a: \ue000", "a: \ufffe", "a: \"x\\ \n  y\"", "a: \"x \\\n  y\"", "a: ' x '", "a: ' x\n  y '", "a: x\n\n\n y",
    "a: " + "9" * 4300, "a: " + "9" * 4301, "a: " + "k" * 2000, "k" * 1000 + ": 1", "k" * 1025 + ": 1", "? " + "k" * 1025 + "\n: 1", "a: " + "[" * 50 + "]" * 50, "a: " + "[" * 120 + "]" * 120, "a: [" + "1, " * 300 + "]", "a: 1." + "3" * 400, "a: 1" + ":1" * 25, "a: 1" + ":1" * 25 + ".5",
    "title: T\ndescription: D\nmethod:\n- type: action\n  name: off\n  provider:\n    type: python\n    module: chaosmonkey.vm\n    func: vm_power_off\n    arguments:\n      vm_name: web-01\n      timeout: 1_0\n      graceful: no\n  pauses: {after: 0:30}\n",
    "configuration:\n  port: {type: env, key: PORT, default: 0755}\n  when: 2020-01-01 10:00:00\nsecrets:\n  s: {pw: 'p@ss: #1'}\n",
]

JSON_VALUES = [
    "0", "-0", "1", "-1", "01", "-01", "+1", "1.", ".5", "-.5", "-", "1.0", "-0.0", "1.5e3", "1e3", "1E3", "1e+3", "1e-3", "1e", "1e+", "1.e3", "1e400", "-1e400", "1e-400", "1.7976931348623157e308", "5e-324", "0.1", "0.30000000000000004", "9007199254740993.0", "1_000", "0x10", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "9" * 4300, "9" * 4301, "1" + "0" * 400 + ".0", "NaN", "Infinity", "-Infinity", "-NaN", "+Infinity", "nan", "inf", "INF", "Nan", "infinity",
    "true", "false", "null", "True", "False", "None", "TRUE", "nul", "truex", "undefined", "",
    '""', '"a"', "'a'", '"a', 'a"', '"a\nb"', '"a\tb"', '"\u0000"', '"\u001f"', '"\u007f"', '"\\n\\r\\t\\b\\f\\/\\\\\\""', '"\\x41"', '"\\u0041"', '"\\u00E9"', '"\\u00e"', '"\\u00g0"', '"\\u+041"', '"\\u 041"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\ude00"', '"\\ud83d\\u0041"', '"\\ud83dx"', '"\\ude00\\ud83d"', '"\\ud83d\\ud83d\\ude00"', '"\\u0000"', '"\\', '"\\u', '"\\q"', '"é😀"', '"\u2028"', '"\ufeff"',
    "[]", "[1]", "[1, 2]", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[", "]", "[1", "[1}", "[[[]]]", "{}", '{"b": 1}', '{"b": 1,}', '{,"b": 1}', '{"b"}', '{"b":}', '{"b" 1}', '{"b": 1 "c": 2}', '{"b": 1; "c": 2}', "{b: 1}", "{'b': 1}", '{1: 2}', '{"b": 1, "b": 2}', '{"b": {"c": 1}, "b": {"d": 2}}', '{"": 1}', '{"a/b": {"~": 1}}', "{", '{"b"', '{"b":', '{"b": 1', "}", "// c\n1", "/* c */ 1", "# c\n1", "1 // c", "\u00a01", "\f1", "\v1", "\t1", "\r\n1", "[" * 50 + "]" * 50, "[" * 120 + "]" * 120,
]

JSON_TEXTS = ["", " ", "\n", "{}", "[]", "[1]", "null", "5", '"a"', "x", '{"a": 1} ', '\n{"a": 1}\n', '{"a": 1} x', '{"a": 1}{"b": 2}', '{"a": 1},', '\ufeff{"a": 1}', '{"a": 1}\ufeff', '{"z": 1, "b": 2, "a": 3}', '{"a": 1, "b": 2, "a": 3}', '{\n\t"a": 1,\r\n\t"b": [\n1\n]\n}', '{"\\u0061": 1, "a": 2}', '{"\\ud800": 1}', "---\na: 1", "a: 1"]


def marked(value):
    """The value with markers for what JSON cannot hold."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value) if isinstance(value, str) else value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else {"$int": str(value)}
    if isinstance(value, float):
        return {"$float": repr(value)}
    if isinstance(value, (datetime.date, datetime.datetime)):
        return {"$iso": value.isoformat()}
    if isinstance(value, list):
        return [marked(item) for item in value]
    if isinstance(value, dict):
        keys = [next(iter(json.loads(json.dumps({key: 0})))) for key in value]
        return {"$map": [[marked(key), marked(item)] for key, item in zip(keys, value.values())]}
    raise TypeError(f"{type(value).__name__} cannot be written to a journal")


def record(name, read, texts):
    """Writes what `read` makes of each text."""
    with open(pathlib.Path(__file__).parent / name, "w", encoding="utf-8") as to:
        for text in dict.fromkeys(texts):
            try:
                case = {"text": text, "value": marked(read(text))}
            except Exception as error:
                case = {"text": text, "refused": type(error).__name__}
            to.write(json.dumps(case) + "\n")


scalars = [scalar for line in SCALARS.split("\n") for scalar in line.split("|")]
record("yaml.jsonl", yaml.safe_load, [f"a: {scalar}" for scalar in scalars] + DOCUMENTS)
record("json.jsonl", json.loads, ['{"a": %s}' % value for value in JSON_VALUES] + JSON_TEXTS)
