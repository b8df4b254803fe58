//! What the tokens give away before there is a tree: disguises that a reader and an engine may read differently.

use crate::error::SqlError;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

/// Refuses comments that look nested and unicode escapes. Text inside string literals is one token and is never looked
/// into.
pub(crate) fn refuse_disguises(tokens: &[TokenWithSpan]) -> Result<(), SqlError> {
    for (i, token) in tokens.iter().enumerate() {
        let what = match &token.token {
            Token::Whitespace(Whitespace::MultiLineComment(text)) if text.contains("/*") => "nested comments",
            Token::UnicodeStringLiteral(_) => "unicode escapes",
            Token::Word(word) if is_unicode_prefix(word.quote_style, &word.value, &tokens[i + 1..]) => {
                "unicode escapes"
            }
            Token::EscapedStringLiteral(_) => "strings with escapes",
            _ => continue,
        };
        return Err(SqlError::Disguise { what, at: token.span.into() });
    }
    Ok(())
}

/// `U&"..."` is one identifier to Trino, and `U & "..."` to the tokenizer.
fn is_unicode_prefix(quote: Option<char>, word: &str, following: &[TokenWithSpan]) -> bool {
    quote.is_none()
        && word.eq_ignore_ascii_case("u")
        && matches!(following, [and, quoted, ..]
            if and.token == Token::Ampersand
                && (matches!(&quoted.token, Token::Word(word) if word.quote_style.is_some())
                    || matches!(quoted.token, Token::SingleQuotedString(_))))
}
