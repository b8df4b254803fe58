//! Views that show the events of all sources in one shape.

use super::columns::{bigint, column, integer, json, text};
use super::{Column, ColumnType, View};

pub(super) fn normalized_auth_view() -> View {
    let mut columns = identity_columns();
    columns.extend([
        text("action", "action", "`ConsoleLogin`, `AssumeRole`, `ssh_login` …"),
        text("outcome", "outcome", "`success`, `failure` or `unknown`"),
        text("failure_reason", "failure_reason", "the source's words for a failure"),
        text("user_name", "user_name", "who"),
        text("user_type", "user_type", "`Root`, `IAMUser`, `AssumedRole` …; null for hosts"),
        text("user_arn", "user_arn", "the caller's ARN"),
        text("account_id", "account_id", "AWS account"),
        text("mfa_used", "mfa_used", "`Yes` or `No`, for console logins"),
        text("source_ip", "source_ip", "where from"),
        text("user_agent", "user_agent", "agent of the client"),
        text("region", "region", "AWS region"),
        text("host", "host", "machine, for logins to hosts"),
    ]);
    columns.extend(trailing_columns());
    View {
        name: "normalized_auth_view",
        columns,
        sql: format!("{CLOUDTRAIL_AUTH} UNION ALL {SSH_AUTH}"),
        doc: "sign-ins and role changes of all sources; a console login's outcome is what the sign-in service answered",
    }
}

pub(super) fn normalized_network() -> View {
    let mut columns = identity_columns();
    columns.extend([
        text("source_ip", "source_ip", "where from"),
        integer("source_port", "source_port", "source port"),
        text("destination_ip", "destination_ip", "where to"),
        integer("destination_port", "destination_port", "destination port"),
        text("protocol", "protocol", "`tcp`, `udp`, `icmp`, or the protocol's number"),
        bigint("bytes", "bytes", "bytes sent"),
        bigint("packets", "packets", "packets sent"),
        text("action", "action", "`accept` or `reject`"),
        text("direction", "direction", "`ingress` or `egress`, where known"),
        text("account_id", "account_id", "AWS account"),
        text("region", "region", "AWS region"),
        text("interface_id", "interface_id", "network interface"),
        text("instance_id", "instance_id", "instance"),
    ]);
    columns.extend(trailing_columns());
    View {
        name: "normalized_network",
        columns,
        sql: format!("{VPC_FLOW_NETWORK} UNION ALL {GUARDDUTY_NETWORK}"),
        doc: "network flows of all sources in one shape",
    }
}

fn identity_columns() -> Vec<Column> {
    vec![
        text("event_id", "event_id", "identity of the event"),
        column("event_time", "event_time", ColumnType::Timestamp, "when it happened, UTC"),
        column("ingested_at", "ingested_at", ColumnType::Timestamp, "when it became visible in the lake, UTC"),
        text("log_source", "log_source", "source of the event: `cloudtrail`, `application` …"),
    ]
}

fn trailing_columns() -> Vec<Column> {
    vec![
        text("source_object", "source_object", "the raw object it came from"),
        json("raw", "raw", "the record as delivered"),
        text("year", "year", "partition: year of the event"),
        text("month", "month", "partition: month of the event"),
        text("day", "day", "partition: day of the event"),
    ]
}

/// A sign-in event answers `{"<eventName>": "Success" | "Failure"}`; a failed console login may have no error code.
const CLOUDTRAIL_AUTH: &str = "\
SELECT event_id, event_time, ingested_at, 'cloudtrail' AS log_source, eventname AS action, \
CASE COALESCE(json_extract_scalar(responseelements, '$.ConsoleLogin'), \
json_extract_scalar(responseelements, '$.CheckMfa'), \
json_extract_scalar(responseelements, '$.SwitchRole'), \
json_extract_scalar(responseelements, '$.ExitRole'), \
json_extract_scalar(responseelements, '$.RenewRole'), \
json_extract_scalar(responseelements, '$.CredentialChallenge'), \
json_extract_scalar(responseelements, '$.CredentialVerification'), \
json_extract_scalar(responseelements, '$.UserAuthentication'), \
json_extract_scalar(responseelements, '$.PasswordRecoveryRequested'), \
json_extract_scalar(responseelements, '$.PasswordRecoveryCompleted'), \
CASE WHEN errorcode IS NOT NULL OR errormessage IS NOT NULL THEN 'Failure' \
WHEN eventname <> 'ConsoleLogin' THEN 'Success' END) \
WHEN 'Success' THEN 'success' WHEN 'Failure' THEN 'failure' ELSE 'unknown' END AS outcome, \
COALESCE(errormessage, errorcode) AS failure_reason, \
COALESCE(useridentity.username, useridentity.sessioncontext.sessionissuer.username, \
useridentity.principalid, useridentity.invokedby) AS user_name, \
useridentity.type AS user_type, useridentity.arn AS user_arn, \
COALESCE(recipientaccountid, useridentity.accountid) AS account_id, \
json_extract_scalar(additionaleventdata, '$.MFAUsed') AS mfa_used, \
sourceipaddress AS source_ip, useragent AS user_agent, awsregion AS region, CAST(NULL AS varchar) AS host, \
source_object, raw, year, month, day \
FROM cloudtrail_logs \
WHERE eventsource IN ('signin.amazonaws.com', 'sso.amazonaws.com', 'sso-oauth.amazonaws.com') \
OR (eventsource = 'sts.amazonaws.com' AND eventname IN ('AssumeRole', 'AssumeRoleWithSAML', \
'AssumeRoleWithWebIdentity', 'AssumeRoot', 'GetFederationToken', 'GetSessionToken'))";

const SSH_AUTH: &str = "\
SELECT event_id, event_time, ingested_at, 'application' AS log_source, 'ssh_login' AS action, \
CASE WHEN message LIKE 'Accepted %' THEN 'success' ELSE 'failure' END AS outcome, \
CASE WHEN message LIKE 'Accepted %' THEN CAST(NULL AS varchar) ELSE message END AS failure_reason, \
COALESCE(regexp_extract(message, ' for (?:invalid user )?(\\S+) from ', 1), \
regexp_extract(message, '^Invalid user (\\S+) from ', 1)) AS user_name, \
CAST(NULL AS varchar) AS user_type, CAST(NULL AS varchar) AS user_arn, CAST(NULL AS varchar) AS account_id, \
CAST(NULL AS varchar) AS mfa_used, regexp_extract(message, ' from ([0-9A-Fa-f.:]+)', 1) AS source_ip, \
CAST(NULL AS varchar) AS user_agent, CAST(NULL AS varchar) AS region, host, \
source_object, raw, year, month, day \
FROM application_logs \
WHERE program = 'sshd' AND (message LIKE 'Accepted %' OR message LIKE 'Failed %' OR message LIKE 'Invalid user %')";

const VPC_FLOW_NETWORK: &str = "\
SELECT event_id, event_time, ingested_at, 'vpc_flow' AS log_source, \
srcaddr AS source_ip, srcport AS source_port, dstaddr AS destination_ip, dstport AS destination_port, \
CASE protocol WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' ELSE CAST(protocol AS varchar) END AS protocol, \
bytes, packets, lower(action) AS action, flow_direction AS direction, \
account_id, region, interface_id, instance_id, source_object, raw, year, month, day \
FROM vpc_flow_logs WHERE log_status IS NULL OR log_status = 'OK'";

/// GuardDuty names the ends of a connection local and remote; the direction says which is the source.
const GUARDDUTY_NETWORK: &str = "\
SELECT event_id, event_time, ingested_at, 'guardduty' AS log_source, \
CASE WHEN direction = 'INBOUND' THEN remote_ip ELSE local_ip END AS source_ip, \
CASE WHEN direction = 'INBOUND' THEN remote_port ELSE local_port END AS source_port, \
CASE WHEN direction = 'INBOUND' THEN local_ip ELSE remote_ip END AS destination_ip, \
CASE WHEN direction = 'INBOUND' THEN local_port ELSE remote_port END AS destination_port, \
lower(protocol) AS protocol, CAST(NULL AS bigint) AS bytes, CAST(NULL AS bigint) AS packets, \
CASE blocked WHEN 'true' THEN 'reject' WHEN 'false' THEN 'accept' END AS action, \
CASE direction WHEN 'INBOUND' THEN 'ingress' WHEN 'OUTBOUND' THEN 'egress' END AS direction, \
account_id, region, interface_id, instance_id, source_object, raw, year, month, day \
FROM (SELECT event_id, event_time, ingested_at, accountid AS account_id, region, source_object, raw, year, month, day, \
json_extract_scalar(service, '$.action.networkConnectionAction.connectionDirection') AS direction, \
json_extract_scalar(service, '$.action.networkConnectionAction.remoteIpDetails.ipAddressV4') AS remote_ip, \
TRY_CAST(json_extract_scalar(service, '$.action.networkConnectionAction.remotePortDetails.port') AS integer) AS remote_port, \
COALESCE(json_extract_scalar(service, '$.action.networkConnectionAction.localIpDetails.ipAddressV4'), \
json_extract_scalar(resource, '$.instanceDetails.networkInterfaces[0].privateIpAddress')) AS local_ip, \
TRY_CAST(json_extract_scalar(service, '$.action.networkConnectionAction.localPortDetails.port') AS integer) AS local_port, \
json_extract_scalar(service, '$.action.networkConnectionAction.protocol') AS protocol, \
json_extract_scalar(service, '$.action.networkConnectionAction.blocked') AS blocked, \
json_extract_scalar(resource, '$.instanceDetails.networkInterfaces[0].networkInterfaceId') AS interface_id, \
json_extract_scalar(resource, '$.instanceDetails.instanceId') AS instance_id \
FROM guardduty_findings) AS connections \
WHERE remote_ip IS NOT NULL";
