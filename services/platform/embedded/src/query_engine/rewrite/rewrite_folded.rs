//! `lower(x) = 'text'` and `lower(x) IN ('text', …)`: the form every case-insensitive test of a rule has. It is computed
//! without making the folded text of each row, most of which differ in length already.

use super::build::{call, not, text, text_of};
use sqlparser::ast::{BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

/// `None` where the expression is something else.
pub(super) fn rewrite_folded(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let (folded, other) =
                folded_argument(left).map(|x| (x, right)).or(folded_argument(right).map(|x| (x, left)))?;
            call_with(folded, std::iter::once(other.as_ref()))
        }
        Expr::InList { expr, list, negated } => {
            let found = call_with(folded_argument(expr)?, list.iter())?;
            Some(if *negated { not(found) } else { found })
        }
        _ => None,
    }
}

fn call_with<'a>(folded: &Expr, literals: impl Iterator<Item = &'a Expr>) -> Option<Expr> {
    let mut arguments = vec![folded.clone()];
    for literal in literals {
        // Beyond ASCII a folded text may be longer or shorter than the text.
        arguments.push(text(text_of(literal).filter(|literal| literal.is_ascii())?));
    }
    Some(call("trino_lower_in", arguments))
}

/// `x` of `lower(x)`, as functions are rewritten before what holds them.
fn folded_argument(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Nested(inner) => folded_argument(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. })
            if name.to_string() == "trino_lower" =>
        {
            match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => Some(argument),
                _ => None,
            }
        }
        _ => None,
    }
}
