//! One YAML document → a compiled rule, or every problem it has.

use crate::compiled_rule::{CompiledRule, Exception, KeyField, N_EVENTS, RuleKind};
use crate::convert_detection::{Detection, convert_detection};
use crate::load_rules::split_documents;
use crate::log_source::{RuleSource, find_log_source};
use crate::lower_rule::lower_expr;
use crate::mantissa_block::{MantissaBlock, parse_span, read_mantissa_block};
use crate::problem::{Problem, Problems};
use crate::read_metadata::{Metadata, read_metadata, refuse_other_documents};
use crate::read_yaml::{Node, Position, read_yaml};
use crate::render_title::fields_of_template;
use crate::resolve_field::resolve_field;
use crate::sql_rule::SqlRule;
use crate::threshold::{Measure, Threshold};
use mantissa_contracts::ids::{RuleId, RuleVersion};
use mantissa_contracts::messages::{MAX_KEY_PARTS, RuleRef, Severity};
use mantissa_lake::catalogue::{Table, catalogue};
use sha2::{Digest, Sha256};
use std::time::Duration;

const DEFAULT_DEDUP_WINDOW: Duration = Duration::from_secs(3600);

/// Compiles the one rule in `yaml`; `path` is for messages.
pub fn compile_rule(path: &str, yaml: &str) -> Result<CompiledRule, Vec<Problem>> {
    match split_documents(yaml).as_slice() {
        [document] => compile_document(path, document.text, document.line_offset),
        documents => {
            let mut problems = Problems::new(path, 0);
            let message = match documents.len() {
                0 => "holds no rule".to_owned(),
                n => format!("holds {n} documents where one is expected"),
            };
            problems.error(Position::START, "", message);
            Err(problems.into_sorted())
        }
    }
}

pub(crate) fn compile_document(path: &str, yaml: &str, line_offset: u32) -> Result<CompiledRule, Vec<Problem>> {
    let mut problems = Problems::new(path, line_offset);
    let rule = match read_yaml(yaml) {
        Ok(Some(root)) => compile(path, yaml, &root, &mut problems),
        Ok(None) => {
            problems.error(Position::START, "", "holds no rule");
            None
        }
        Err(error) => {
            problems.error(error.at, "", error.message);
            None
        }
    };
    let problems = problems.into_sorted();
    match rule {
        Some(rule) => Ok(CompiledRule { problems, ..rule }),
        None => Err(problems),
    }
}

fn compile(path: &str, yaml: &str, root: &Node, problems: &mut Problems) -> Option<CompiledRule> {
    refuse_other_documents(root, problems)?;
    let metadata = read_metadata(root, problems);
    let block = read_mantissa_block(root.get("mantissa"), problems);
    let source = find_log_source(root.get("logsource"), problems);
    let body = read_body(root, &block, problems);
    let threshold = find_threshold(&block, body.as_ref(), problems);
    let title_fields = match &block.title {
        Some((template, at)) => fields_of_template(template).map_err(|message| {
            problems.error(*at, "mantissa.title", format!("is no template: {message}"));
        }),
        None => Ok(Vec::new()),
    };
    let keys = key_names(&block, body.as_ref());
    if let Some((_, at)) = keys.get(MAX_KEY_PARTS) {
        let message = format!("names {} fields, an alert key may have {MAX_KEY_PARTS}", keys.len());
        problems.error(*at, "mantissa.group_by", message);
    }
    check_test_keys(&block, &keys, root, problems);

    // From here on problems degrade the rule: a field that no column has is reported, and the rule runs.
    if problems.n_blocking() > 0 {
        return None;
    }
    let (metadata, source, body, title_fields) = (metadata?, source?, body?, title_fields.ok()?);
    let table = catalogue().table_of(source.log_source)?;
    let columns = Columns { table, sql_rule: body.sql_rule() };
    let key_fields = columns.fields("k", &keys, "mantissa.group_by", problems);
    let title_at = block.title.as_ref().map_or(Position::START, |(_, at)| *at);
    let title_names: Vec<_> = title_fields.into_iter().map(|field| (field, title_at)).collect();
    let title_fields = columns.fields("f", &title_names, "mantissa.title", problems);
    let measured = threshold.as_ref().and_then(|(threshold, at)| match &threshold.measure {
        Measure::Count { .. } => None,
        Measure::Distinct { field, .. } => columns.sql_of(field, *at, "mantissa.threshold.distinct", problems),
        Measure::Sum { field, .. } => columns.sql_of(field, *at, "mantissa.threshold.sum", problems),
    });
    let exceptions = lower_exceptions(&block, table, problems);
    let (predicate, kind) = match body {
        Body::Sql(rule) => {
            // A name that the query does not return cannot be read from anywhere else.
            if problems.n_blocking() > 0 {
                return None;
            }
            ("TRUE".to_owned(), RuleKind::Sql(rule))
        }
        Body::Sigma(detection) => {
            let predicate = lower_detection(&detection, &source, table, problems);
            (predicate, threshold.map_or(RuleKind::Event, |(threshold, _)| RuleKind::Threshold(threshold)))
        }
    };
    Some(CompiledRule {
        rule: rule_ref(&metadata, &block, &source, yaml),
        path: path.to_owned(),
        yaml: yaml.to_owned(),
        every: block.every.unwrap_or_else(|| default_interval(metadata.severity)),
        id_at: Position { line: problems.line_in_file(metadata.id_at), ..metadata.id_at },
        description: metadata.description,
        references: metadata.references,
        author: metadata.author,
        falsepositives: metadata.falsepositives,
        status: metadata.status,
        log_source: source.log_source,
        table: table.name,
        enabled: block.enabled.unwrap_or(true),
        dedup_window: block.dedup_window.unwrap_or(DEFAULT_DEDUP_WINDOW),
        kind,
        key_fields,
        title_fields,
        title_template: block.title.map(|(template, _)| template),
        exceptions,
        tests: block.tests,
        problems: Vec::new(),
        predicate,
        measured,
    })
}

enum Body {
    Sigma(Box<Detection>),
    Sql(Box<SqlRule>),
}

impl Body {
    fn sql_rule(&self) -> Option<&SqlRule> {
        match self {
            Self::Sql(rule) => Some(rule),
            Self::Sigma(_) => None,
        }
    }
}

fn read_body(root: &Node, block: &MantissaBlock, problems: &mut Problems) -> Option<Body> {
    match (root.entry("detection"), &block.sql) {
        (Some(detection), None) => convert_detection(&detection.node, &block.placeholders, problems)
            .map(|detection| Body::Sigma(Box::new(detection))),
        (None, Some((sql, at))) => match SqlRule::read(sql) {
            Ok(rule) => {
                for difference in rule.engine_differences() {
                    problems.warning(*at, "mantissa.sql", difference);
                }
                Some(Body::Sql(Box::new(rule)))
            }
            Err(message) => {
                problems.error(*at, "mantissa.sql", message);
                None
            }
        },
        (Some(_), Some((_, at))) => {
            problems.error(*at, "mantissa.sql", "stands beside a `detection`; a rule has one of them");
            None
        }
        (None, None) => {
            problems.error(root.at, "detection", "is missing, and there is no `mantissa.sql` in its place");
            None
        }
    }
}

/// The threshold of the block, or the one a legacy aggregation says.
fn find_threshold(
    block: &MantissaBlock,
    body: Option<&Body>,
    problems: &mut Problems,
) -> Option<(Threshold, Position)> {
    let detection = match body {
        Some(Body::Sigma(detection)) => detection,
        Some(Body::Sql(_)) => {
            if let Some((_, at)) = &block.threshold {
                problems.error(*at, "mantissa.threshold", "stands beside `sql`; the query counts by itself");
            }
            return None;
        }
        None => return None,
    };
    let Some(aggregation) = &detection.aggregation else {
        if let Some(timeframe) = &detection.timeframe {
            let message = "has no effect without an aggregation: each event is judged by itself";
            problems.warning(timeframe.at, "detection.timeframe", message);
        }
        return block.threshold.clone();
    };
    let at = detection.condition_at;
    if block.threshold.is_some() {
        problems.error(at, "detection.condition", "counts, and so does `mantissa.threshold`; a rule has one of them");
    }
    let span = detection.timeframe.as_ref().map(|timeframe| (timeframe.at, timeframe.scalar_text()));
    let within = match span {
        Some((at, text)) => {
            let within = text.as_deref().and_then(parse_span);
            if within.is_none() {
                problems.error(at, "detection.timeframe", "is no span of time such as `10m`");
            }
            within
        }
        None => {
            problems.error(at, "detection.condition", "counts without a `timeframe` to count in");
            None
        }
    };
    let measure = match &aggregation.distinct {
        Some(field) => Measure::Distinct { field: field.clone(), at_least: aggregation.at_least },
        None => Measure::Count { at_least: aggregation.at_least },
    };
    Some((Threshold { measure, within: within? }, at))
}

/// The alert key: `group_by`, else the field a legacy aggregation counts by.
fn key_names(block: &MantissaBlock, body: Option<&Body>) -> Vec<(String, Position)> {
    let counted_by = match body {
        Some(Body::Sigma(detection)) => detection
            .aggregation
            .as_ref()
            .and_then(|aggregation| aggregation.group_by.as_ref().map(|field| (field.clone(), detection.condition_at))),
        _ => None,
    };
    match counted_by {
        Some(field) if !block.group_by.iter().any(|(name, _)| *name == field.0) => {
            std::iter::once(field).chain(block.group_by.iter().cloned()).collect()
        }
        _ => block.group_by.clone(),
    }
}

fn check_test_keys(block: &MantissaBlock, keys: &[(String, Position)], root: &Node, problems: &mut Problems) {
    let tests = root.get("mantissa").and_then(|block| block.get("tests"));
    for test in &block.tests {
        let expected = test.alert.iter().flat_map(|alert| alert.key.keys());
        for field in expected.filter(|field| !keys.iter().any(|(key, _)| key == *field)) {
            let at = tests
                .and_then(Node::list)
                .and_then(|tests| tests.iter().find(|node| problems.line_in_file(node.at) == test.line));
            let message =
                format!("test `{}` expects `{field}` in the alert key, and `group_by` does not name it", test.name);
            problems.error(at.map_or(root.at, |node| node.at), "mantissa.tests", message);
        }
    }
}

/// Where the columns of a rule's result come from.
struct Columns<'a> {
    table: &'a Table,
    sql_rule: Option<&'a SqlRule>,
}

impl Columns<'_> {
    fn fields(&self, prefix: &str, names: &[(String, Position)], path: &str, problems: &mut Problems) -> Vec<KeyField> {
        let numbered = names.iter().enumerate();
        numbered
            .map(|(index, (name, at))| KeyField {
                field: name.clone(),
                column_alias: format!("{prefix}{index}"),
                sql: self.sql_of(name, *at, path, problems).unwrap_or_default(),
            })
            .collect()
    }

    /// The field as text; `None` for the number of events, or after a problem.
    fn sql_of(&self, name: &str, at: Position, path: &str, problems: &mut Problems) -> Option<String> {
        if let Some(rule) = self.sql_rule {
            if rule.returns(name) {
                return Some(format!("CAST({} AS VARCHAR)", crate::sql_text::identifier(&name.to_ascii_lowercase())));
            }
            let hint = crate::nearest_name::suggestion(name, rule.columns());
            problems.error(at, path, format!("names `{name}`, which the query does not return{hint}"));
            return None;
        }
        if name == N_EVENTS && path == "mantissa.title" {
            return None;
        }
        let resolved = resolve_field(self.table, name);
        if let Some(message) = resolved.unknown {
            problems.error(at, path, message);
        }
        Some(resolved.place.text_sql())
    }
}

fn lower_detection(detection: &Detection, source: &RuleSource, table: &Table, problems: &mut Problems) -> String {
    let predicate = lower_expr(&detection.expr, table, problems);
    match &source.narrowing {
        Some(narrowing) => format!("{narrowing} AND {predicate}"),
        None => predicate,
    }
}

fn lower_exceptions(block: &MantissaBlock, table: &Table, problems: &mut Problems) -> Vec<Exception> {
    let exceptions = block.exceptions.iter();
    exceptions
        .map(|exception| Exception {
            until: exception.until,
            owner: exception.owner.clone(),
            reason: exception.reason.clone(),
            predicate: lower_expr(&exception.when, table, problems),
        })
        .collect()
}

fn rule_ref(metadata: &Metadata, block: &MantissaBlock, source: &RuleSource, yaml: &str) -> RuleRef {
    let digest = Sha256::digest(yaml.as_bytes());
    let version: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    RuleRef {
        rule_id: RuleId::new(metadata.id.clone()),
        rule_version: RuleVersion::new(version),
        title: metadata.title.clone(),
        severity: metadata.severity,
        log_source: source.log_source.as_str().to_owned(),
        tags: metadata.tags.clone(),
        runbook: block.runbook.clone(),
        destinations: block.destinations.clone(),
    }
}

fn default_interval(severity: Severity) -> Duration {
    let minutes = match severity {
        Severity::Critical | Severity::High => 1,
        Severity::Medium => 5,
        Severity::Low => 15,
        Severity::Info => 60,
    };
    Duration::from_secs(minutes * 60)
}
