//! Types as Trino writes them.

use sqlparser::ast::{ArrayElemTypeDef, DataType, Ident, ObjectName};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// A type in a cast. The rendered form of what is returned is Trino again.
pub(crate) fn parse_trino_type(parser: &mut Parser) -> Result<DataType, ParserError> {
    let Token::Word(word) = parser.peek_token_ref().token.clone() else {
        return parser.parse_data_type();
    };
    match word.value.to_ascii_lowercase().as_str() {
        "array" => {
            parser.next_token();
            parser.expect_token(&Token::LParen)?;
            let element = parse_trino_type(parser)?;
            parser.expect_token(&Token::RParen)?;
            Ok(DataType::Array(ArrayElemTypeDef::Parenthesis(Box::new(element))))
        }
        "map" => {
            parser.next_token();
            parser.expect_token(&Token::LParen)?;
            let key = parse_trino_type(parser)?;
            parser.expect_token(&Token::Comma)?;
            let value = parse_trino_type(parser)?;
            parser.expect_token(&Token::RParen)?;
            Ok(DataType::Map(Box::new(key), Box::new(value)))
        }
        "row" => {
            parser.next_token();
            parser.expect_token(&Token::LParen)?;
            let mut fields = vec![parse_row_field(parser)?];
            while parser.consume_token(&Token::Comma) {
                fields.push(parse_row_field(parser)?);
            }
            parser.expect_token(&Token::RParen)?;
            Ok(DataType::Custom(ObjectName::from(vec![Ident::new("ROW")]), fields))
        }
        "ipaddress" => {
            parser.next_token();
            Ok(DataType::Custom(ObjectName::from(vec![Ident::new("IPADDRESS")]), Vec::new()))
        }
        _ => parser.parse_data_type(),
    }
}

fn parse_row_field(parser: &mut Parser) -> Result<String, ParserError> {
    let name = parser.parse_identifier()?;
    let data_type = parse_trino_type(parser)?;
    Ok(format!("{name} {data_type}"))
}
