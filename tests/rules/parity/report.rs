//! Answers of two engines to the same cases, side by side: printed, and kept as a document.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What one engine answered, by case.
pub(crate) type Answers = BTreeMap<String, String>;

/// A case whose answers differ, and why that is so and stays so.
pub(crate) struct KnownDifference {
    pub(crate) suite: &'static str,
    pub(crate) case: &'static str,
    pub(crate) cause: &'static str,
}

#[derive(Debug)]
struct Line {
    case: String,
    embedded: String,
    trino: String,
    result: String,
}

/// One suite's comparison.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) suite: &'static str,
    lines: Vec<Line>,
    /// Differences that are not known, and known ones that are none.
    pub(crate) wrong: Vec<String>,
}

pub(crate) fn compare(
    suite: &'static str,
    embedded: &Answers,
    trino: &Answers,
    known: &[KnownDifference],
) -> Comparison {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    let cases: BTreeSet<&String> = embedded.keys().chain(trino.keys()).collect();
    for case in cases {
        let answer = |answers: &Answers| answers.get(case).cloned().unwrap_or_else(|| "not answered".to_owned());
        let (embedded, trino) = (answer(embedded), answer(trino));
        let cause = known.iter().find(|known| known.suite == suite && known.case == case).map(|known| known.cause);
        let result = match (embedded == trino, cause) {
            (true, None) => "equal".to_owned(),
            (false, Some(cause)) => format!("differs: {cause}"),
            (true, Some(_)) => {
                wrong.push(format!("{suite}: `{case}` is equal now: take it off the list of differences"));
                "equal".to_owned()
            }
            (false, None) => {
                wrong.push(format!("{suite}: `{case}`\n    embedded  {embedded}\n    Trino     {trino}"));
                "DIFFERS".to_owned()
            }
        };
        lines.push(Line { case: case.clone(), embedded, trino, result });
    }
    for known in known.iter().filter(|known| known.suite == suite && !embedded.contains_key(known.case)) {
        wrong.push(format!("{suite}: `{}` is on the list of differences and is no case", known.case));
    }
    Comparison { suite, lines, wrong }
}

impl Comparison {
    pub(crate) fn summary(&self) -> String {
        let n_equal = self.lines.iter().filter(|line| line.result == "equal").count();
        format!("{:<12} {:>4} cases, {n_equal} equal", self.suite, self.lines.len())
    }

    pub(crate) fn n_cases(&self) -> usize {
        self.lines.len()
    }

    /// Its part of the document.
    pub(crate) fn section(&self) -> String {
        let mut text = format!("## {}\n\n| case | embedded | Trino | result |\n|---|---|---|---|\n", self.suite);
        for Line { case, embedded, trino, result } in &self.lines {
            let cells = [case, embedded, trino, result].map(|cell| cell.replace('|', "\\|"));
            // Writing to a `String` cannot fail.
            let _infallible = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }
}

#[test]
fn one_wrong_answer_is_a_difference_and_a_known_one_must_be_one() {
    let answers = |text: &str| Answers::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), text.to_owned())]);
    assert_eq!(compare("s", &answers("2"), &answers("2"), &[]).wrong, Vec::<String>::new());
    assert_eq!(compare("s", &answers("2"), &answers("3"), &[]).wrong.len(), 1);
    let known = [KnownDifference { suite: "s", case: "b", cause: "why" }];
    assert_eq!(compare("s", &answers("2"), &answers("3"), &known).wrong, Vec::<String>::new());
    assert_eq!(compare("s", &answers("2"), &answers("2"), &known).wrong.len(), 1);
    let gone = [KnownDifference { suite: "s", case: "c", cause: "why" }];
    assert_eq!(compare("s", &answers("2"), &answers("2"), &gone).wrong.len(), 1);
    assert_eq!(compare("s", &answers("2"), &Answers::new(), &[]).wrong.len(), 2, "what was not answered differs");
}
