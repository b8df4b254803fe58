//! What the parser is told about Trino's spelling.

use crate::parse_data_type::parse_trino_type;
use sqlparser::ast::{CastKind, DataType, Expr, Ident, ObjectName, TypedString};
use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use std::any::TypeId;

/// Trino. Syntax that other databases have and Trino does not stays off wherever the parser lets it be switched;
/// what cannot be switched off is refused by the guard.
#[derive(Debug)]
pub(crate) struct TrinoDialect;

impl Dialect for TrinoDialect {
    /// `UNNEST` as a table is tied to a short list of built-in dialects.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_ascii_alphanumeric() || ch == '_'
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        false
    }

    /// Trino ends a block comment at the first `*/`; the guard refuses one that would end elsewhere if they nested.
    fn supports_nested_comments(&self) -> bool {
        false
    }

    /// Read so that it can be refused by name.
    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    /// `CAST(x AS ARRAY(JSON))`, `ROW(...)`, `MAP(...)`: Trino writes types with parentheses.
    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        match word_before(parser, |token| *token == Token::LParen).as_deref() {
            Some("cast") => Some(parse_cast(parser, CastKind::Cast)),
            Some("try_cast") => Some(parse_cast(parser, CastKind::TryCast)),
            _ => parse_ip_literal(parser),
        }
    }
}

fn parse_cast(parser: &mut Parser, kind: CastKind) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_keyword(sqlparser::keywords::Keyword::AS)?;
    let data_type = parse_trino_type(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind, expr, data_type, array: false, format: None })
}

/// `IPADDRESS '10.0.0.1'`.
fn parse_ip_literal(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let word = word_before(parser, |token| matches!(token, Token::SingleQuotedString(_)))?;
    if word != "ipaddress" {
        return None;
    }
    parser.next_token();
    Some(parser.parse_value().map(|value| {
        let name = ObjectName::from(vec![Ident::new("IPADDRESS")]);
        Expr::TypedString(TypedString { data_type: DataType::Custom(name, Vec::new()), value, uses_odbc_syntax: false })
    }))
}

/// The next word in lower case, if it is unquoted and what follows it fits.
fn word_before(parser: &Parser, fits: impl Fn(&Token) -> bool) -> Option<String> {
    match &parser.peek_nth_token_ref(0).token {
        Token::Word(word) if word.quote_style.is_none() && fits(&parser.peek_nth_token_ref(1).token) => {
            Some(word.value.to_ascii_lowercase())
        }
        _ => None,
    }
}
