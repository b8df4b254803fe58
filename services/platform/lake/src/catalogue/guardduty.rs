//! `guardduty_findings`.

use super::columns::{column, json, text};
use super::{Column, ColumnType, LogSource, Table, common_columns};

pub(super) fn table() -> Table {
    let mut columns = own_columns();
    columns.extend(common_columns());
    Table {
        name: "guardduty_findings",
        log_source: LogSource::GuardDuty,
        columns,
        doc: "GuardDuty findings; each update of a finding is an event of its own, at `updatedat`",
    }
}

fn own_columns() -> Vec<Column> {
    vec![
        text("schemaversion", "schemaVersion", "version of the finding's format"),
        text("accountid", "accountId", "account the finding is about"),
        text("region", "region", "region the finding is about"),
        text("partition", "partition", "`aws`, `aws-cn` or `aws-us-gov`"),
        text("id", "id", "id of the finding; the same in all its updates"),
        text("arn", "arn", "the finding"),
        text("type", "type", "`UnauthorizedAccess:EC2/SSHBruteForce` …"),
        column(
            "severity",
            "severity",
            ColumnType::Double,
            "1.0 to 8.9 and above: low, medium from 4, high from 7, critical from 9",
        ),
        text("title", "title", "one line"),
        text("description", "description", "what was seen"),
        text("createdat", "createdAt", "when the finding was first reported, ISO 8601 text"),
        text("updatedat", "updatedAt", "when this update was reported, ISO 8601 text"),
        json("service", "service", "action, evidence and count of what was seen, JSON text"),
        json("resource", "resource", "what is affected, JSON text"),
        column("confidence", "confidence", ColumnType::Double, "confidence, where given"),
        text("associatedattacksequencearn", "associatedAttackSequenceArn", "attack sequence the finding is part of"),
    ]
}
