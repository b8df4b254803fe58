//! A CloudTrail record, written as the delivery files have it.

use crate::company::Account;
use crate::line::{Line, Stream};
use crate::seeded_random::SeededRandom;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Identity<'a> {
    /// An IAM user with an access key, or in the console where `mfa` is said.
    User {
        name: &'a str,
        mfa: Option<bool>,
    },
    Role {
        role: &'a str,
        session: &'a str,
    },
    /// A service that calls for itself: `{"type":"AWSService","invokedBy":…}`.
    Service(&'a str),
    Root,
}

/// One call. Texts are written as they are, so they must hold nothing that JSON would escape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ApiCall<'a> {
    pub(crate) account: &'a Account,
    pub(crate) identity: Identity<'a>,
    /// `s3`, without `.amazonaws.com`.
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
    pub(crate) from: &'a str,
    pub(crate) agent: &'a str,
    /// JSON, or empty for null.
    pub(crate) request: &'a str,
    /// JSON, or empty for null.
    pub(crate) response: &'a str,
    pub(crate) error: Option<(&'a str, &'a str)>,
    /// Further members, each with a leading comma.
    pub(crate) further: &'a str,
}

pub(crate) const CLI: &str = "aws-cli/2.31.18 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 lang/python#3.13.7";
pub(crate) const SDK: &str = "aws-sdk-go-v2/1.41.0 ua/2.1 os/linux lang/go#1.25.4 md/GOARCH#amd64 api/s3#1.90.0";
pub(crate) const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.13.5 terraform-provider-aws/6.22.0";
pub(crate) const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

impl<'a> ApiCall<'a> {
    pub(crate) fn new(account: &'a Account, identity: Identity<'a>, service: &'a str, name: &'a str) -> Self {
        Self {
            account,
            identity,
            service,
            name,
            from: "192.0.2.10",
            agent: CLI,
            request: "",
            response: "",
            error: None,
            further: "",
        }
    }

    pub(crate) fn from(self, from: &'a str, agent: &'a str) -> Self {
        Self { from, agent, ..self }
    }

    pub(crate) fn request(self, request: &'a str) -> Self {
        Self { request, ..self }
    }

    pub(crate) fn response(self, response: &'a str) -> Self {
        Self { response, ..self }
    }

    pub(crate) fn error(self, code: &'a str, message: &'a str) -> Self {
        Self { error: Some((code, message)), ..self }
    }

    pub(crate) fn further(self, further: &'a str) -> Self {
        Self { further, ..self }
    }

    pub(crate) fn line(&self, at: DateTime<Utc>, random: &mut SeededRandom) -> Line {
        Line { at, stream: Stream::CloudTrail(*self.account), text: self.json(at, random) }
    }

    pub(crate) fn json(&self, at: DateTime<Utc>, random: &mut SeededRandom) -> String {
        let mut text = String::with_capacity(1400);
        text.push_str("{\"eventVersion\":\"1.11\",\"userIdentity\":");
        self.write_identity(&mut text, at);
        let mut member = |name: &str, value: &str| {
            for part in [",\"", name, "\":\"", value, "\""] {
                text.push_str(part);
            }
        };
        let source = format!("{}.amazonaws.com", self.service);
        member("eventTime", &at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        member("eventSource", &source);
        member("eventName", self.name);
        member("awsRegion", "us-east-1");
        member("sourceIPAddress", self.from);
        member("userAgent", self.agent);
        if let Some((code, message)) = self.error {
            member("errorCode", code);
            member("errorMessage", message);
        }
        text.push_str(",\"requestParameters\":");
        text.push_str(if self.request.is_empty() { "null" } else { self.request });
        text.push_str(",\"responseElements\":");
        text.push_str(if self.response.is_empty() { "null" } else { self.response });
        text.push_str(self.further);
        let console = self.name == "ConsoleLogin";
        let read_only = ["Get", "List", "Describe", "Decrypt", "AssumeRole", "Lookup", "Head", "Query", "Batch"]
            .iter()
            .any(|prefix| self.name.starts_with(prefix));
        let data_event =
            matches!(self.name, "GetObject" | "PutObject" | "DeleteObject" | "Invoke" | "Query" | "PutItem");
        text.push_str(&format!(
            ",\"requestID\":\"{}\",\"eventID\":\"{}\",\"readOnly\":{read_only},\"eventType\":\"{}\",\
             \"managementEvent\":{},\"recipientAccountId\":\"{}\",\"eventCategory\":\"{}\"",
            random.uuid(),
            random.uuid(),
            if console { "AwsConsoleSignIn" } else { "AwsApiCall" },
            !data_event,
            self.account.id,
            if data_event { "Data" } else { "Management" },
        ));
        if !matches!(self.identity, Identity::Service(_)) {
            text.push_str(",\"tlsDetails\":{\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\"");
            text.push_str(",\"clientProvidedHostHeader\":\"");
            text.push_str(&source);
            text.push_str("\"}");
        }
        text.push('}');
        text
    }

    fn write_identity(&self, text: &mut String, at: DateTime<Utc>) {
        let account = self.account.id;
        let created = at.format("%Y-%m-%dT%H:00:00Z");
        match self.identity {
            Identity::User { name, mfa } => {
                let principal = principal_id(name);
                text.push_str(&format!(
                    "{{\"type\":\"IAMUser\",\"principalId\":\"AIDA{principal}\",\"arn\":\"arn:aws:iam::{account}:user/{name}\",\
                     \"accountId\":\"{account}\",\"accessKeyId\":\"AKIA{principal}\",\"userName\":\"{name}\""
                ));
                if let Some(mfa) = mfa {
                    text.push_str(&format!(
                        ",\"sessionContext\":{{\"attributes\":{{\"creationDate\":\"{created}\",\
                         \"mfaAuthenticated\":\"{mfa}\"}}}}"
                    ));
                }
                text.push('}');
            }
            Identity::Role { role, session } => {
                let principal = principal_id(role);
                text.push_str(&format!(
                    "{{\"type\":\"AssumedRole\",\"principalId\":\"AROA{principal}:{session}\",\
                     \"arn\":\"arn:aws:sts::{account}:assumed-role/{role}/{session}\",\"accountId\":\"{account}\",\
                     \"accessKeyId\":\"ASIA{principal}\",\"sessionContext\":{{\"sessionIssuer\":{{\"type\":\"Role\",\
                     \"principalId\":\"AROA{principal}\",\"arn\":\"arn:aws:iam::{account}:role/{role}\",\
                     \"accountId\":\"{account}\",\"userName\":\"{role}\"}},\"attributes\":{{\
                     \"creationDate\":\"{created}\",\"mfaAuthenticated\":\"false\"}}}}}}"
                ));
            }
            Identity::Service(service) => {
                text.push_str(&format!("{{\"type\":\"AWSService\",\"invokedBy\":\"{service}.amazonaws.com\"}}"));
            }
            Identity::Root => text.push_str(&format!(
                "{{\"type\":\"Root\",\"principalId\":\"{account}\",\"arn\":\"arn:aws:iam::{account}:root\",\
                 \"accountId\":\"{account}\",\"accessKeyId\":\"\"}}"
            )),
        }
    }
}

/// Sixteen characters that stay the same for a name, marked as an example as AWS marks them.
fn principal_id(name: &str) -> String {
    let number = name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{:09X}EXAMPLE", number % 0x0f_ffff_ffff)
}
