//! What the tokens give away before there is a tree: disguises that a reader and an engine may read differently, and
//! chains that would make the tree too deep to walk.

use crate::error::SqlError;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

/// Operators in a row, without parentheses, that a tree is made of: it is as deep as they are many, and whoever walks it
/// needs so much of the stack.
pub(crate) const MAX_CHAIN: usize = 400;

/// Refuses `a OR b OR c …` without end. What is in parentheses counts by itself; how deep those go is the parser's affair.
pub(crate) fn refuse_long_chains(tokens: &[TokenWithSpan]) -> Result<(), SqlError> {
    let mut outer = Vec::new();
    let mut n_operators = 0;
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket => {
                // `a[1][2]` nests without an operator.
                n_operators += usize::from(token.token == Token::LBracket);
                outer.push(std::mem::take(&mut n_operators));
            }
            Token::RParen | Token::RBracket => n_operators = outer.pop().unwrap_or_default(),
            Token::Comma => n_operators = 0,
            operator if is_operator(operator) => n_operators += 1,
            _ => {}
        }
        if n_operators > MAX_CHAIN {
            return Err(SqlError::LongChain { max: MAX_CHAIN, at: token.span.into() });
        }
    }
    Ok(())
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::IN
                | Keyword::LIKE
                | Keyword::BETWEEN
                | Keyword::ESCAPE
                | Keyword::AT
                | Keyword::COLLATE
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
        ),
        Token::Whitespace(_) | Token::EOF | Token::SemiColon | Token::Period => false,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => false,
        // `=`, `<>`, `||`, `+` … and whatever else stands between two operands.
        _ => true,
    }
}

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
