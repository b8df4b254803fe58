//! What the tokens give away before there is a tree: disguises that a reader and an engine may read differently, and
//! chains that would make the tree too deep to walk.

use crate::error::SqlError;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

/// Operators in a row, without parentheses, that a tree is made of: it is as deep as they are many, and whoever walks it
/// needs so much of the stack. So it is with selects in a row, and with joins.
pub(crate) const MAX_CHAIN: usize = 400;

/// What stands in a row between one opening and its end.
#[derive(Default)]
struct Chains {
    /// Of one expression.
    n_operators: usize,
    /// Of selects and tables, each with expressions of its own.
    n_links: usize,
    is_case: bool,
}

/// Refuses `a OR b OR c …` without end. What is in parentheses counts by itself; how deep those go is the parser's affair.
pub(crate) fn refuse_long_chains(tokens: &[TokenWithSpan]) -> Result<(), SqlError> {
    let mut outer = Vec::new();
    let mut here = Chains::default();
    for token in tokens {
        match part_of(&token.token) {
            Part::Opens => outer.push(std::mem::take(&mut here)),
            // `a[1][2]` nests without an operator.
            Part::OpensSubscript => {
                here.n_operators += 1;
                outer.push(std::mem::take(&mut here));
            }
            Part::OpensCase => {
                outer.push(std::mem::take(&mut here));
                here.is_case = true;
            }
            Part::Closes => here = outer.pop().unwrap_or_default(),
            Part::ClosesCase if here.is_case => here = outer.pop().unwrap_or_default(),
            Part::Parts => here.n_operators = 0,
            Part::PartsCase if here.is_case => here.n_operators = 0,
            Part::Link => {
                here.n_links += 1;
                here.n_operators = 0;
            }
            Part::Operator => here.n_operators += 1,
            Part::ClosesCase | Part::PartsCase | Part::Operand => {}
        }
        if here.n_operators.max(here.n_links) > MAX_CHAIN {
            return Err(SqlError::LongChain { max: MAX_CHAIN, at: token.span.into() });
        }
    }
    Ok(())
}

enum Part {
    Opens,
    OpensSubscript,
    OpensCase,
    Closes,
    ClosesCase,
    /// Between two expressions.
    Parts,
    PartsCase,
    /// Between two selects, or two tables.
    Link,
    Operator,
    Operand,
}

fn part_of(token: &Token) -> Part {
    match token {
        Token::LParen => Part::Opens,
        Token::LBracket => Part::OpensSubscript,
        Token::RParen | Token::RBracket => Part::Closes,
        Token::Comma => Part::Parts,
        Token::Word(word) => match word.keyword {
            Keyword::CASE => Part::OpensCase,
            Keyword::END => Part::ClosesCase,
            Keyword::WHEN | Keyword::THEN | Keyword::ELSE => Part::PartsCase,
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS | Keyword::JOIN => Part::Link,
            Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::SIMILAR
            | Keyword::BETWEEN
            | Keyword::ESCAPE
            | Keyword::AT
            | Keyword::COLLATE
            | Keyword::OVERLAPS
            | Keyword::MEMBER
            | Keyword::MATCH
            | Keyword::OPERATOR
            | Keyword::DIV => Part::Operator,
            _ => Part::Operand,
        },
        Token::Whitespace(_) | Token::EOF | Token::SemiColon | Token::Period => Part::Operand,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => Part::Operand,
        // `=`, `<>`, `||`, `+` … and whatever else stands between two operands.
        _ => Part::Operator,
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
