//! The status page, until the web UI stands in its place.

use crate::{Error, Status};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};

const PAGE: &str = include_str!("status.html");

/// Every value is escaped: titles and keys hold what attackers wrote into logs.
pub(crate) fn render_page(status: &Status) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("status.html", PAGE)?;
    Ok(environment.get_template("status.html")?.render(context! { status => Serde(status) })?)
}
