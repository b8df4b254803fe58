//! `cloudtrail_logs`: columns as AWS documents them for Athena.

use super::columns::{array, json, record, text};
use super::{Column, LogSource, Table, common_columns};

pub(super) fn table() -> Table {
    let mut columns = own_columns();
    columns.extend(common_columns());
    Table {
        name: "cloudtrail_logs",
        log_source: LogSource::CloudTrail,
        columns,
        doc: "API activity of AWS accounts, as CloudTrail delivers it",
    }
}

fn own_columns() -> Vec<Column> {
    vec![
        text("eventversion", "eventVersion", "version of the record's format"),
        record("useridentity", "userIdentity", user_identity(), "who made the request"),
        text("eventtime", "eventTime", "when the request was made, ISO 8601 text as delivered; see event_time"),
        text("eventsource", "eventSource", "the service: `iam.amazonaws.com`"),
        text("eventname", "eventName", "the action; Insight records have none"),
        text("awsregion", "awsRegion", "region the request was made to"),
        text("sourceipaddress", "sourceIPAddress", "address of the caller, or the name of an AWS service"),
        text("useragent", "userAgent", "agent of the caller"),
        text("errorcode", "errorCode", "the service's error, when there was one"),
        text("errormessage", "errorMessage", "description of the error"),
        json("requestparameters", "requestParameters", "parameters of the request, JSON text"),
        json("responseelements", "responseElements", "the answer of actions that change something, JSON text"),
        json("additionaleventdata", "additionalEventData", "what is not part of request or answer, JSON text"),
        text("requestid", "requestID", "id the service gave the request"),
        text("eventid", "eventID", "id CloudTrail gave the event"),
        text("readonly", "readOnly", "`true` when the action changes nothing"),
        array("resources", "resources", resource(), "resources the event touched"),
        text("eventtype", "eventType", "`AwsApiCall`, `AwsServiceEvent`, `AwsConsoleSignIn`, `AwsCloudTrailInsight` …"),
        text("apiversion", "apiVersion", "version of the service's API"),
        text("recipientaccountid", "recipientAccountId", "account that received the event"),
        json("serviceeventdetails", "serviceEventDetails", "what triggered a service event, JSON text"),
        text("sharedeventid", "sharedEventID", "id shared by the copies of one action in several accounts"),
        text("vpcendpointid", "vpcEndpointId", "endpoint the request came through"),
        text("vpcendpointaccountid", "vpcEndpointAccountId", "account that owns the endpoint"),
        text("eventcategory", "eventCategory", "`Management`, `Data`, `NetworkActivity` or `Insight`"),
        text("managementevent", "managementEvent", "`true` for a management event"),
        text(
            "sessioncredentialfromconsole",
            "sessionCredentialFromConsole",
            "`true` when the session began in the console",
        ),
        record("tlsdetails", "tlsDetails", tls_details(), "the connection's TLS"),
        json("insightdetails", "insightDetails", "state, type and statistics of an Insight record, JSON text"),
        json("addendum", "addendum", "why the record was delivered late or again, JSON text"),
        json("edgedevicedetails", "edgeDeviceDetails", "the edge device a request was made to, JSON text"),
        json("eventcontext", "eventContext", "tags and condition keys CloudTrail added, JSON text"),
        text("eventsourcearn", "eventSourceArn", "source of an event from outside AWS"),
        json("eventdata", "eventData", "event of a CloudTrail Lake integration, JSON text"),
    ]
}

fn user_identity() -> Vec<Column> {
    vec![
        text("type", "type", "`Root`, `IAMUser`, `AssumedRole`, `AWSService` …; some records have none"),
        text("principalid", "principalId", "unique id of the caller"),
        text("arn", "arn", "the caller"),
        text("accountid", "accountId", "account of the caller"),
        text("invokedby", "invokedBy", "service that made the request for the caller"),
        text("accesskeyid", "accessKeyId", "key that signed the request"),
        text("username", "userName", "name of the caller"),
        text("identityprovider", "identityProvider", "provider of an external identity"),
        text("credentialid", "credentialId", "bearer token's id"),
        record("sessioncontext", "sessionContext", session_context(), "the session, for temporary credentials"),
        record(
            "onbehalfof",
            "onBehalfOf",
            vec![
                text("userid", "userId", "user of IAM Identity Center"),
                text("identitystorearn", "identityStoreArn", "store the user is in"),
            ],
            "the person the call was made for",
        ),
        json("inscopeof", "inScopeOf", "scope of a service's request, JSON text"),
        json("invokedbydelegate", "invokedByDelegate", "product that acted by delegation, JSON text"),
    ]
}

fn session_context() -> Vec<Column> {
    vec![
        record(
            "attributes",
            "attributes",
            vec![
                text("mfaauthenticated", "mfaAuthenticated", "`true` when the session began with a second factor"),
                text("creationdate", "creationDate", "when the session began"),
            ],
            "the session's attributes",
        ),
        record(
            "sessionissuer",
            "sessionIssuer",
            vec![
                text("type", "type", "`Root`, `IAMUser` or `Role`"),
                text("principalid", "principalId", "unique id of the issuer"),
                text("arn", "arn", "the issuer"),
                text("accountid", "accountId", "account of the issuer"),
                text("username", "userName", "name of the issuer"),
            ],
            "who or what the credentials are from",
        ),
        record(
            "webidfederationdata",
            "webIdFederationData",
            vec![
                text("federatedprovider", "federatedProvider", "the identity provider"),
                json("attributes", "attributes", "application and user ids, JSON text"),
            ],
            "the federated identity",
        ),
        text("sourceidentity", "sourceIdentity", "identity that survives chained roles"),
        text(
            "ec2roledelivery",
            "ec2RoleDelivery",
            "version of the instance metadata service that gave the credentials",
        ),
        text("assumedroot", "assumedRoot", "`true` for a root session taken by AssumeRoot"),
        json("ec2issuedinvpc", "ec2IssuedInVpc", "network the credentials were issued in, JSON text"),
    ]
}

fn resource() -> Vec<Column> {
    vec![
        text("arn", "ARN", "the resource"),
        text("accountid", "accountId", "its owner"),
        text("type", "type", "`AWS::S3::Bucket` …"),
    ]
}

fn tls_details() -> Vec<Column> {
    vec![
        text("tlsversion", "tlsVersion", "`TLSv1.3`"),
        text("ciphersuite", "cipherSuite", "cipher suite"),
        text("clientprovidedhostheader", "clientProvidedHostHeader", "host name the client asked for"),
    ]
}
