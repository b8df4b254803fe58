"""Runs rules in DuckDB for `make bench`: python run_duckdb.py INPUT.json OUTPUT.json

The rules' Trino SQL is run as it is, over views on the same Parquet files. What DuckDB lacks is supplied by macros;
what it writes differently (lambdas, array types, JSON paths with brackets) is rewritten in the text.
"""

import json
import re
import sys
import time

import duckdb

MACROS = [
    """CREATE MACRO json_extract_scalar(document, path) AS
       CASE WHEN json_type(document, path) IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(document, path) END""",
    "CREATE MACRO json_format(document) AS CAST(document AS VARCHAR)",
    "CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern)",
]


def closing_parenthesis(sql, opening):
    """Position of the parenthesis that closes the one at `opening`; texts in quotes are passed over."""
    depth, quoted = 0, False
    for at in range(opening, len(sql)):
        char = sql[at]
        if char == "'":
            quoted = not quoted
        elif not quoted and char == "(":
            depth += 1
        elif not quoted and char == ")":
            depth -= 1
            if depth == 0:
                return at
    raise ValueError("a parenthesis is not closed")


def translate(sql):
    while (start := sql.find("any_match(")) >= 0:
        opening = start + len("any_match")
        closing = closing_parenthesis(sql, opening)
        inner = re.sub(r",\s*(v\d+) -> ", r", lambda \1: ", sql[opening + 1 : closing], count=1)
        sql = f"{sql[:start]}(len(list_filter({inner})) > 0){sql[closing + 1:]}"
    sql = sql.replace("AS ARRAY(JSON))", "AS JSON[])")
    return re.sub(r'(\'\$[^\']*)', lambda path: re.sub(r'\["([^"]*)"\]', r'."\1"', path.group(1)), sql)


def run(connection, sql):
    return {row[0] for row in connection.execute(sql).fetchall()}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(asked['n_threads'])}")
    for macro in MACROS:
        connection.execute(macro)
    for table, files in asked["tables"].items():
        files = files.replace("'", "''")
        connection.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false)"
        )
    results = {}
    for rule in asked["rules"]:
        try:
            sql = translate(rule["sql"])
            run(connection, sql)
            results[rule["rule_id"]] = {"sql": sql, "error": None}
        except (duckdb.Error, ValueError) as error:
            results[rule["rule_id"]] = {"sql": None, "error": str(error).splitlines()[0]}
    best = None
    for _ in range(asked["repeat"]):
        wall, cpu = time.perf_counter(), time.process_time()
        seconds, found = {}, {}
        for rule_id, result in results.items():
            if result["error"] is None:
                started = time.perf_counter()
                found[rule_id] = run(connection, result["sql"])
                seconds[rule_id] = time.perf_counter() - started
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if best is None or cpu < best[1]:
            best = (wall, cpu, seconds, found)
    wall, cpu, seconds, found = best
    answer = {
        "version": duckdb.__version__,
        "wall_s": wall,
        "cpu_s": cpu,
        "rules": [
            {
                "rule_id": rule_id,
                "seconds": seconds.get(rule_id, 0.0),
                "error": result["error"],
                "event_ids": sorted(found.get(rule_id, ())),
            }
            for rule_id, result in results.items()
        ],
    }
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file)


if __name__ == "__main__":
    main()
