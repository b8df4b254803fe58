//! Text to syntax tree.

use crate::dialect::TrinoDialect;
use crate::error::{Position, SqlError};
use crate::scan_tokens::{refuse_disguises, refuse_long_chains};
use sqlparser::ast::{Expr, Query, Spanned, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// Deep enough for generated rules, and shallow enough for the stack of a worker thread.
const MAX_DEPTH: usize = 150;

/// Reads one `SELECT` or `WITH ... SELECT`; a single closing semicolon is let through.
pub fn parse(sql: &str) -> Result<Query, SqlError> {
    let tokens = Tokenizer::new(&TrinoDialect, sql)
        .tokenize_with_location()
        .map_err(|error| SqlError::Syntax { message: lower_first(&error.message), at: error.location.into() })?;
    refuse_disguises(&tokens)?;
    refuse_long_chains(&tokens)?;
    refuse_other_statements(&tokens)?;
    let end: Position = tokens.last().map(|token| token.span.end.into()).unwrap_or_default();
    let mut parser = Parser::new(&TrinoDialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let statement = parser.parse_statement().map_err(|error| syntax_error(error, end))?;
    let _closing = parser.consume_token(&Token::SemiColon);
    let rest = parser.peek_token_ref();
    if rest.token != Token::EOF {
        return Err(SqlError::Syntax { message: format!("unexpected `{}`", rest.token), at: rest.span.into() });
    }
    match statement {
        Statement::Query(query) => Ok(*query),
        other => {
            Err(SqlError::NotASelect { found: first_word(&other.to_string()), at: Position { line: 1, column: 1 } })
        }
    }
}

/// Where an expression begins in the text it was parsed from.
pub fn position_of(expr: &Expr) -> Position {
    expr.span().into()
}

/// Says what is wrong before the parser trips over it with a message about tokens.
fn refuse_other_statements(tokens: &[TokenWithSpan]) -> Result<(), SqlError> {
    let mut meaningful = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    let first = meaningful.clone().find(|token| token.token != Token::LParen).ok_or(SqlError::Empty)?;
    match &first.token {
        Token::Word(word) if matches!(word.keyword, Keyword::SELECT | Keyword::WITH) => {}
        Token::SemiColon => return Err(SqlError::Empty),
        other => return Err(SqlError::NotASelect { found: format!("`{other}`"), at: first.span.into() }),
    }
    meaningful.find(|token| token.token == Token::SemiColon);
    match meaningful.next() {
        None => Ok(()),
        Some(second) => Err(SqlError::ManyStatements { at: second.span.into() }),
    }
}

fn syntax_error(error: ParserError, end: Position) -> SqlError {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => {
            return SqlError::Syntax { message: "the query is nested too deeply".into(), at: Position::default() };
        }
    };
    match split_position(&message) {
        Some((text, at)) => SqlError::Syntax { message: lower_first(text), at },
        None => SqlError::Syntax { message: lower_first(&message), at: end },
    }
}

/// The parser ends its messages with ` at Line: 1, Column: 8`.
fn split_position(message: &str) -> Option<(&str, Position)> {
    let (text, place) = message.rsplit_once(" at Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    Some((text, Position { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn first_word(text: &str) -> String {
    format!("`{}`", text.split_whitespace().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(sql: &str) -> String {
        parse(sql).unwrap().to_string()
    }

    #[test]
    fn trino_constructs_survive_a_round_trip() {
        for sql in [
            "SELECT any_match(TRY_CAST(json_extract(a, '$.b') AS Array(JSON)), v -> v = 'x') FROM t",
            "SELECT a LIKE 'x\\_%' ESCAPE '\\' FROM t",
            "SELECT count(*) FILTER (WHERE a > 1) FROM t",
            "SELECT ARRAY[1, 2], ROW(1, 'a') FROM t",
            "SELECT x FROM t CROSS JOIN UNNEST(t.list) WITH ORDINALITY AS u (a, b)",
            "SELECT sum(a) OVER (PARTITION BY b ORDER BY c RANGE BETWEEN INTERVAL '900' SECOND PRECEDING AND CURRENT ROW) FROM t",
            "SELECT TIMESTAMP '2026-01-01 00:00:00.000'",
            "SELECT CAST(x AS Map(VARCHAR, JSON)), CAST(y AS ROW(a BIGINT, b Array(VARCHAR))), CAST(z AS IPADDRESS) FROM t",
            "SELECT IPADDRESS '10.0.0.1'",
            "SELECT CAST(x AS TIMESTAMP(3) WITH TIME ZONE) FROM t",
        ] {
            assert_eq!(rendered(&rendered(sql)), rendered(sql), "{sql}");
            let squeezed = |text: &str| text.to_lowercase().replace([' ', '\n'], "");
            assert_eq!(squeezed(&rendered(sql)), squeezed(sql));
        }
    }

    #[test]
    fn errors_name_line_and_column() {
        let error = parse("SELECT a\nFROM t WHERE (").unwrap_err();
        assert!(matches!(error, SqlError::Syntax { at: Position { line: 2, .. }, .. }), "{error}");
        let error = parse("SELECT 'open").unwrap_err();
        assert!(matches!(error, SqlError::Syntax { at: Position { line: 1, column: 8 }, .. }), "{error}");
    }

    #[test]
    fn second_statement_is_refused_where_it_begins() {
        assert_eq!(parse("SELECT 1; SELECT 2"), Err(SqlError::ManyStatements { at: Position { line: 1, column: 11 } }));
        assert!(parse("SELECT 1 ; -- done").is_ok());
        assert_eq!(parse("  -- nothing\n"), Err(SqlError::Empty));
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        let sql = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(matches!(parse(&sql), Err(SqlError::Syntax { .. })));
    }

    /// A worker thread's stack is 2 MB, as this one's.
    #[test]
    fn chains_are_walked_on_a_small_stack_or_refused() {
        let walked = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
            for (first, repeated) in [
                ("SELECT a", " OR a"),
                ("SELECT a", " || a"),
                ("SELECT a", " XOR a"),
                ("SELECT a", " IS NULL = a"),
                ("SELECT a", " OR CASE WHEN a THEN b END"),
                ("SELECT a, a", " UNION SELECT a, a"),
                ("SELECT a, a FROM t", " JOIN t ON a = b"),
                ("SELECT a", "[1]"),
            ] {
                let chain = |n: usize| format!("{first}{}", repeated.repeat(n));
                let longest = chain(crate::scan_tokens::MAX_CHAIN / 2);
                assert!(parse(&longest).is_ok_and(|query| !query.to_string().is_empty()), "{repeated}");
                let refused = parse(&chain(20_000));
                assert!(matches!(refused, Err(SqlError::LongChain { .. })), "{repeated}: {refused:?}");
            }
            // These are many, and not deep.
            for (first, repeated, last) in [
                ("SELECT CASE ", "WHEN a = 1 OR a = 2 THEN b = 3 ", "END"),
                ("SELECT f(a", ", a = 1 AND a = 2", ")"),
                ("SELECT a FROM t WHERE a IN (1", ", 2 + 3", ")"),
            ] {
                let flat = format!("{first}{}{last}", repeated.repeat(2_000));
                assert!(parse(&flat).is_ok_and(|query| !query.to_string().is_empty()), "{repeated}");
            }
            let chain = format!("SELECT a{}", " OR a".repeat(crate::scan_tokens::MAX_CHAIN));
            let query = parse(&chain).unwrap();
            assert!(!format!("{query} {query:?}").is_empty() && query.clone() == query);
        });
        walked.unwrap().join().unwrap();
    }
}
