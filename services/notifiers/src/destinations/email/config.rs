//! Settings of an e-mail destination:
//!
//! - `to`: addresses, with commas between them: `soc@example.com, On call <on-call@example.com>`.

use crate::destinations::Settings;
use crate::error::UnusableDestination;
use mantissa_ports::is_mail_address;

pub(crate) const SETTINGS: &[&str] = &["to"];

/// What SES takes in one mail.
const MAX_RECIPIENTS: usize = 50;

pub(crate) struct EmailEndpoint {
    pub(super) to: Vec<String>,
    channel: String,
}

impl EmailEndpoint {
    pub(crate) fn load(settings: &Settings<'_>) -> Result<Self, UnusableDestination> {
        let bad = |reason: String| Err(UnusableDestination::bad_setting("to", reason));
        let to: Vec<String> = settings.required("to")?.split(',').map(|address| address.trim().to_owned()).collect();
        if let Some(address) = to.iter().find(|address| !is_mail_address(address)) {
            return bad(format!("has `{}`, which is not a mail address", address.escape_debug()));
        }
        if to.len() > MAX_RECIPIENTS {
            return bad(format!("has {} addresses, the limit is {MAX_RECIPIENTS}: make it a list's", to.len()));
        }
        Ok(Self { channel: format!("email/{}", to.join(",")), to })
    }

    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }
}
