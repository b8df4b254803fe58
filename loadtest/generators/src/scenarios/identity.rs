//! Attacks on people and credentials.

use super::rule_files as rule;
use super::{Scenario, Scene};
use crate::api_call::{ApiCall, BROWSER, CLI, Identity};
use crate::company::{PRODUCTION, SECURITY};
use crate::finding::Finding;
use serde_json::json;

/// The intruder of most plays.
const INTRUDER: &str = "203.0.113.24";
const PYTHON: &str = "Boto3/1.41.2 md/Botocore#1.41.2 ua/2.1 os/linux#6.8.0 lang/python#3.13.7";

pub(super) const CONSOLE_LOGIN: Scenario = Scenario {
    name: "console_login_without_mfa",
    summary: "Somebody at 203.0.113.24 guesses the console password of theo.lindqvist and signs in without MFA.",
    time_of_day: (2, 41),
    rules: &[rule::CONSOLE_LOGIN_FAILURES, rule::CONSOLE_LOGIN_WITHOUT_MFA],
    play: play_console_login,
};

fn play_console_login(scene: &mut Scene) {
    let identity = Identity::User { name: "theo.lindqvist", mfa: None };
    let login = ApiCall::new(&PRODUCTION, identity, "signin", "ConsoleLogin").from(INTRUDER, BROWSER).further(
        r#","additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"No"}"#,
    );
    // A refused login has an error message and no error code.
    let refused = login.response(r#"{"ConsoleLogin":"Failure"}"#).further(
        r#","errorMessage":"Failed authentication","additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"No"}"#,
    );
    for attempt in 0..7 {
        scene.call(20 * attempt, &refused);
    }
    scene.call(190, &login.response(r#"{"ConsoleLogin":"Success"}"#));
    let identity = Identity::User { name: "theo.lindqvist", mfa: Some(false) };
    let look = ApiCall::new(&PRODUCTION, identity, "iam", "ListUsers").from(INTRUDER, BROWSER);
    scene.call(230, &look.further(",\"sessionCredentialFromConsole\":\"true\""));
}

pub(super) const ACCESS_KEY: Scenario = Scenario {
    name: "access_key_for_other_user",
    summary: "theo.lindqvist, from 203.0.113.24, creates an access key for svc-manifests, looks around with it and \
              makes that user an administrator.",
    time_of_day: (2, 58),
    rules: &[
        rule::ACCESS_KEY_CREATED_FOR_OTHER_USER,
        rule::ENUMERATION_BY_USER_KEY,
        rule::ACCESS_DENIED_BURST,
        rule::ADMINISTRATOR_POLICY_ATTACHED,
    ],
    play: play_access_key,
};

fn play_access_key(scene: &mut Scene) {
    let theo = Identity::User { name: "theo.lindqvist", mfa: Some(false) };
    let create = ApiCall::new(&PRODUCTION, theo, "iam", "CreateAccessKey").from(INTRUDER, BROWSER);
    scene.call(
        0,
        &create.request(r#"{"userName":"svc-manifests"}"#).response(
            r#"{"accessKey":{"userName":"svc-manifests","accessKeyId":"AKIAI44QH8DHBEXAMPLE","status":"Active"}}"#,
        ),
    );
    let service = Identity::User { name: "svc-manifests", mfa: None };
    let names = [
        ("sts", "GetCallerIdentity"),
        ("iam", "ListUsers"),
        ("iam", "ListRoles"),
        ("iam", "ListGroups"),
        ("iam", "ListPolicies"),
        ("iam", "GetAccountSummary"),
        ("iam", "ListAccessKeys"),
        ("iam", "ListMFADevices"),
        ("iam", "ListAttachedUserPolicies"),
        ("iam", "ListUserPolicies"),
        ("s3", "ListBuckets"),
        ("ec2", "DescribeInstances"),
        ("ec2", "DescribeSnapshots"),
        ("secretsmanager", "ListSecrets"),
        ("lambda", "ListFunctions20150331"),
        ("iam", "GetAccountAuthorizationDetails"),
        ("rds", "DescribeDBInstances"),
    ];
    for second in 0..34_i64 {
        let (source, name) = names[usize::try_from(second).unwrap_or(0) % names.len()];
        let call = ApiCall::new(&PRODUCTION, service, source, name).from(INTRUDER, PYTHON);
        // The key may do little: most of what it tries is refused.
        let call =
            if second % 5 == 0 { call } else { call.error("AccessDenied", "User is not authorized to perform this") };
        scene.call(60 + 4 * second, &call);
    }
    let attach = ApiCall::new(&PRODUCTION, theo, "iam", "AttachUserPolicy").from(INTRUDER, BROWSER);
    scene.call(
        260,
        &attach.request(r#"{"userName":"svc-manifests","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#),
    );
}

pub(super) const ROOT_USED: Scenario = Scenario {
    name: "root_account_used",
    summary: "Root of the security account signs in from 198.51.100.61, without anybody having asked for it.",
    time_of_day: (20, 12),
    rules: &[rule::ROOT_ACCOUNT_USED],
    play: play_root_used,
};

fn play_root_used(scene: &mut Scene) {
    let from = "198.51.100.61";
    let login = ApiCall::new(&SECURITY, Identity::Root, "signin", "ConsoleLogin").from(from, BROWSER).further(
        r#","additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"}"#,
    );
    scene.call(0, &login.response(r#"{"ConsoleLogin":"Success"}"#));
    scene.call(45, &ApiCall::new(&SECURITY, Identity::Root, "iam", "GetAccountSummary").from(from, BROWSER));
    scene.call(80, &ApiCall::new(&SECURITY, Identity::Root, "iam", "ListAccessKeys").from(from, BROWSER));
}

pub(super) const INSTANCE_CREDENTIALS: Scenario = Scenario {
    name: "instance_credentials_stolen",
    summary: "The role session of a portal instance is used from 198.51.100.77 to read every secret.",
    time_of_day: (21, 35),
    rules: &[
        rule::INSTANCE_CREDENTIALS_FROM_OUTSIDE,
        rule::SECRETS_READ_IN_BULK,
        rule::CREDENTIALS_COMPROMISED,
        rule::HIGH_SEVERITY_FINDING,
    ],
    play: play_instance_credentials,
};

fn play_instance_credentials(scene: &mut Scene) {
    let from = "198.51.100.77";
    let identity = Identity::Role { role: "portal-web", session: "i-0f00ba4c1d2e3f401" };
    scene.call(0, &ApiCall::new(&PRODUCTION, identity, "sts", "GetCallerIdentity").from(from, CLI));
    for number in 0..14_i64 {
        let request = format!("{{\"secretId\":\"larkspur/secret-{number}\"}}");
        let call = ApiCall::new(&PRODUCTION, identity, "secretsmanager", "GetSecretValue").from(from, CLI);
        scene.call(20 + 12 * number, &call.request(&request));
    }
    scene.finding(
        600,
        &PRODUCTION,
        Finding {
            kind: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
            severity: 8,
            title: "Credentials for the EC2 instance role portal-web were used from an external address.",
            resource: json!({"resourceType": "AccessKey", "accessKeyDetails": {
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "principalId": "AROAEXAMPLE:i-0f00ba4c1d2e3f401",
            "userType": "AssumedRole", "userName": "portal-web"}}),
            action: json!({"actionType": "AWS_API_CALL", "awsApiCallAction": {
            "api": "GetSecretValue", "serviceName": "secretsmanager.amazonaws.com", "callerType": "Remote IP",
            "remoteIpDetails": {"ipAddressV4": from, "country": {"countryName": "Unknown"}}}}),
        },
    );
}
