//! A rule's `logsource:` → the table it is judged on, and the part of the table it means.
//!
//! `application_logs` holds many sources. A rule for one of them is narrowed by what the data says of itself:
//! the syslog program for a service, the line's format for `linux` and for web servers. `application` is not narrowed:
//! nothing in a line says which application wrote it.

use crate::nearest_name::suggestion;
use crate::problem::Problems;
use crate::read_yaml::Node;
use crate::sql_text::literal;
use mantissa_lake::catalogue::LogSource;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleSource {
    pub(crate) log_source: LogSource,
    /// A predicate that is never NULL-sensitive: it stands un-negated beside the rule's own.
    pub(crate) narrowing: Option<String>,
}

const SYSLOG: &str = "format IN ('syslog3164', 'syslog5424')";
const ACCESS_LOG: &str = "(format = 'combined' OR method IS NOT NULL)";

/// Services whose events come from the kernel's audit trail or an agent, in a shape no table of ours has.
const UNREAD_LINUX: [&str; 2] = ["auditd", "sysmon"];

pub(crate) fn find_log_source(node: Option<&Node>, problems: &mut Problems) -> Option<RuleSource> {
    let Some(node) = node else {
        problems.error(crate::read_yaml::Position::START, "logsource", "is missing: no table to judge the rule on");
        return None;
    };
    let mut part = |key: &str| -> Option<String> {
        let value = node.get(key)?;
        if value.text().is_none() {
            problems.error(value.at, &format!("logsource.{key}"), format!("is {}; expected text", value.kind()));
        }
        value.text().map(|text| text.trim().to_ascii_lowercase())
    };
    let (product, service, category) = (part("product"), part("service"), part("category"));
    let found = find(product.as_deref(), service.as_deref(), category.as_deref());
    if found.is_none() {
        let known = ["cloudtrail", "vpcflow", "guardduty", "webserver", "application", "aws", "linux"];
        let named = [&product, &service, &category].into_iter().flatten().cloned().collect::<Vec<_>>();
        let hint = named
            .iter()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| suggestion(name, known.into_iter()))
            .find(|hint| !hint.is_empty())
            .unwrap_or_default();
        let message = format!(
            "no table answers the log source `{}`{hint}; known are aws/cloudtrail, aws/vpcflow, aws/guardduty, \
             linux/<service>, category webserver and application",
            named.join("/")
        );
        problems.error(node.at, "logsource", message);
    }
    found
}

fn find(product: Option<&str>, service: Option<&str>, category: Option<&str>) -> Option<RuleSource> {
    let whole = |log_source| Some(RuleSource { log_source, narrowing: None });
    let application =
        |narrowing: String| Some(RuleSource { log_source: LogSource::Application, narrowing: Some(narrowing) });
    match (product, service, category) {
        (Some("aws") | None, Some("cloudtrail"), _) => whole(LogSource::CloudTrail),
        (Some("aws") | None, Some("vpcflow" | "vpc_flow" | "vpcflowlogs" | "vpc-flow"), _) => whole(LogSource::VpcFlow),
        (Some("aws"), None, Some("network_connection")) => whole(LogSource::VpcFlow),
        (Some("aws") | None, Some("guardduty"), _) => whole(LogSource::GuardDuty),
        (Some("linux"), Some(service), None) => match service {
            "auth" | "syslog" | "authpriv" => application(SYSLOG.to_owned()),
            service if UNREAD_LINUX.contains(&service) => None,
            // OpenSSH splits itself into `sshd` and `sshd-session`.
            "sshd" => application("program LIKE 'sshd%'".to_owned()),
            service => application(format!("lower(program) = {}", literal(service))),
        },
        (Some("linux"), None, None) => application(SYSLOG.to_owned()),
        (_, _, Some("webserver")) => application(ACCESS_LOG.to_owned()),
        (Some("apache" | "nginx"), _, _) => application(ACCESS_LOG.to_owned()),
        (Some("application"), _, _) | (_, Some("application"), None) | (_, _, Some("application")) => {
            whole(LogSource::Application)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_log_source_of_ours_finds_its_table() {
        let table = |product, service, category| find(product, service, category).map(|found| found.log_source);
        assert_eq!(table(Some("aws"), Some("cloudtrail"), None), Some(LogSource::CloudTrail));
        assert_eq!(table(Some("aws"), Some("vpcflow"), None), Some(LogSource::VpcFlow));
        assert_eq!(table(Some("aws"), Some("guardduty"), None), Some(LogSource::GuardDuty));
        for (product, service, category) in [
            (Some("linux"), Some("auth"), None),
            (Some("linux"), Some("sshd"), None),
            (None, None, Some("webserver")),
            (None, None, Some("application")),
            (Some("application"), Some("orders"), None),
        ] {
            assert_eq!(table(product, service, category), Some(LogSource::Application));
        }
    }

    #[test]
    fn sources_no_table_has_are_refused() {
        assert_eq!(find(Some("windows"), None, Some("process_creation")), None);
        assert_eq!(find(Some("linux"), Some("auditd"), None), None);
        assert_eq!(find(Some("aws"), None, None), None);
    }
}
