//! Everyday CloudTrail: services at work, pipelines, people in the console.

use super::Cell;
use crate::api_call::{ApiCall, BROWSER, Identity, SDK, TERRAFORM};
use crate::company::{ACCOUNTS, OFFICE_ADDRESSES, PEOPLE, SERVICE_ROLES};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// A role of one of the company's services.
    ServiceRole,
    /// An AWS service, with the name it is invoked by.
    Aws(&'static str),
    Person,
    Pipeline,
}

struct Template {
    weight: u64,
    caller: Caller,
    service: &'static str,
    name: &'static str,
    /// JSON with `$bucket`, `$secret`, `$role`, `$account` and `$id` to be filled in.
    request: &'static str,
    response: &'static str,
}

const fn call(
    weight: u64,
    caller: Caller,
    service: &'static str,
    name: &'static str,
    request: &'static str,
) -> Template {
    Template { weight, caller, service, name, request, response: "" }
}

const ASSUME_ROLE: &str =
    r#"{"roleArn":"arn:aws:iam::$account:role/$role","roleSessionName":"$role","durationSeconds":3600}"#;
const ASSUMED: &str = r#"{"credentials":{"accessKeyId":"ASIA$idEXAMPLE","sessionToken":"FwoGZXIvYXdzEXAMPLE$id","expiration":"Mar 2, 2026, 11:00:00 AM"},"assumedRoleUser":{"assumedRoleId":"AROA$idEXAMPLE:$role","arn":"arn:aws:sts::$account:assumed-role/$role/$role"}}"#;
const ONE_OBJECT: &str =
    r#"{"bucketName":"$bucket","Host":"$bucket.s3.us-east-1.amazonaws.com","key":"2026/$id.json"}"#;
const DECRYPT: &str =
    r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::$bucket"}}"#;

static TEMPLATES: [Template; 34] = [
    Template { response: ASSUMED, ..call(190, Caller::Aws("ecs-tasks"), "sts", "AssumeRole", ASSUME_ROLE) },
    Template { response: ASSUMED, ..call(120, Caller::Aws("lambda"), "sts", "AssumeRole", ASSUME_ROLE) },
    call(90, Caller::ServiceRole, "s3", "GetObject", ONE_OBJECT),
    call(60, Caller::ServiceRole, "s3", "PutObject", ONE_OBJECT),
    call(70, Caller::ServiceRole, "kms", "Decrypt", DECRYPT),
    call(40, Caller::ServiceRole, "kms", "GenerateDataKey", r#"{"keyId":"alias/larkspur","keySpec":"AES_256"}"#),
    call(30, Caller::ServiceRole, "secretsmanager", "GetSecretValue", r#"{"secretId":"$secret"}"#),
    call(35, Caller::ServiceRole, "sts", "GetCallerIdentity", ""),
    call(30, Caller::ServiceRole, "ssm", "GetParametersByPath", r#"{"path":"/$role","recursive":true}"#),
    call(60, Caller::ServiceRole, "ssm", "UpdateInstanceInformation", r#"{"instanceId":"i-0f00ba4c1d2e3f402"}"#),
    call(
        25,
        Caller::ServiceRole,
        "sqs",
        "GetQueueAttributes",
        r#"{"queueUrl":"https://sqs.us-east-1.amazonaws.com/$account/$role"}"#,
    ),
    call(30, Caller::ServiceRole, "dynamodb", "DescribeTable", r#"{"tableName":"$role"}"#),
    call(45, Caller::ServiceRole, "ecr", "GetAuthorizationToken", ""),
    call(
        35,
        Caller::ServiceRole,
        "ecr",
        "BatchGetImage",
        r#"{"repositoryName":"$role","imageIds":[{"imageTag":"$id"}]}"#,
    ),
    call(
        60,
        Caller::ServiceRole,
        "logs",
        "CreateLogStream",
        r#"{"logGroupName":"/larkspur/$role","logStreamName":"$id"}"#,
    ),
    call(45, Caller::Aws("config"), "ec2", "DescribeSecurityGroups", r#"{"securityGroupSet":{},"filterSet":{}}"#),
    call(30, Caller::Aws("config"), "s3", "GetBucketAcl", r#"{"bucketName":"$bucket","acl":""}"#),
    call(20, Caller::Aws("config"), "s3", "GetBucketPolicyStatus", r#"{"bucketName":"$bucket","policyStatus":""}"#),
    call(45, Caller::Aws("autoscaling"), "ec2", "DescribeInstances", r#"{"instancesSet":{},"filterSet":{}}"#),
    call(40, Caller::Aws("elasticloadbalancing"), "ec2", "DescribeNetworkInterfaces", r#"{"filterSet":{}}"#),
    call(20, Caller::Aws("cloudtrail"), "s3", "GetBucketAcl", r#"{"bucketName":"larkspur-trail","acl":""}"#),
    call(15, Caller::Aws("cloudwatch"), "autoscaling", "DescribeAutoScalingGroups", ""),
    call(20, Caller::Pipeline, "cloudformation", "DescribeStacks", r#"{"stackName":"$role"}"#),
    call(15, Caller::Pipeline, "iam", "GetRole", r#"{"roleName":"$role"}"#),
    call(15, Caller::Pipeline, "ec2", "DescribeVpcs", r#"{"vpcSet":{},"filterSet":{}}"#),
    call(
        8,
        Caller::Pipeline,
        "ecs",
        "UpdateService",
        r#"{"service":"$role","cluster":"larkspur","forceNewDeployment":true}"#,
    ),
    call(
        6,
        Caller::Pipeline,
        "ecs",
        "RegisterTaskDefinition",
        r#"{"family":"$role","containerDefinitions":[{"name":"$role","image":"$role:$id"}]}"#,
    ),
    call(
        6,
        Caller::Pipeline,
        "lambda",
        "UpdateFunctionCode20150331v2",
        r#"{"functionName":"$role","publish":true,"dryRun":false}"#,
    ),
    call(6, Caller::Pipeline, "s3", "PutBucketTagging", r#"{"bucketName":"$bucket","tagging":""}"#),
    call(14, Caller::Person, "ec2", "DescribeInstances", r#"{"instancesSet":{},"filterSet":{}}"#),
    call(10, Caller::Person, "monitoring", "DescribeAlarms", r#"{"maxRecords":100}"#),
    call(8, Caller::Person, "s3", "ListBuckets", r#"{"Host":"s3.amazonaws.com"}"#),
    call(8, Caller::Person, "cloudtrail", "LookupEvents", r#"{"maxResults":50}"#),
    call(8, Caller::Person, "signin", "ConsoleLogin", ""),
];

pub(super) fn add(cell: &mut Cell<'_>) {
    for _ in 0..cell.how_many(200) {
        add_one(cell);
    }
}

fn add_one(cell: &mut Cell<'_>) {
    let template = cell.random.pick_weighted(&TEMPLATES, |template| template.weight);
    let account = *cell.random.pick_weighted(&ACCOUNTS, |account| account.share);
    let role = cell.random.pick(&SERVICE_ROLES);
    let person = *cell.random.pick(&PEOPLE);
    let id = cell.random.hex(7);
    let fill = |text: &str| {
        if !text.contains('$') {
            return text.to_owned();
        }
        let text = text.replace("$bucket", role.bucket).replace("$secret", role.secret).replace("$role", role.role);
        text.replace("$account", account.id).replace("$id", &id)
    };
    let (request, response) = (fill(template.request), fill(template.response));
    let inside = format!("10.{}.2.{}", account.network, role.host);
    let invoked_by;
    let call = match template.caller {
        Caller::ServiceRole => {
            let identity = Identity::Role { role: role.role, session: role.session };
            ApiCall::new(&account, identity, template.service, template.name).from(&inside, SDK)
        }
        Caller::Aws(service) => {
            invoked_by = format!("{service}.amazonaws.com");
            ApiCall::new(&account, Identity::Service(service), template.service, template.name)
                .from(&invoked_by, &invoked_by)
        }
        Caller::Pipeline => {
            let identity = Identity::Role { role: "deploy", session: "build-8812" };
            ApiCall::new(&account, identity, template.service, template.name).from("10.40.2.18", TERRAFORM)
        }
        Caller::Person => {
            let identity = Identity::User { name: person, mfa: Some(true) };
            // Everybody keeps to one office, so that no login looks like a second person's.
            let office = OFFICE_ADDRESSES[person.len() % OFFICE_ADDRESSES.len()];
            let call = ApiCall::new(&account, identity, template.service, template.name).from(office, BROWSER);
            if template.name == "ConsoleLogin" {
                sign_in(call)
            } else {
                call.further(",\"sessionCredentialFromConsole\":\"true\"")
            }
        }
    };
    let call = call.request(&request).response(if response.is_empty() { call.response } else { &response });
    let call = match template.caller {
        Caller::ServiceRole if cell.random.chance(6) => {
            call.response("").error("AccessDenied", "User is not authorized to perform this operation")
        }
        _ => call,
    };
    let at = cell.moment();
    let line = call.line(at, cell.random);
    cell.lines.push(line);
}

fn sign_in(call: ApiCall<'_>) -> ApiCall<'_> {
    call.response(r#"{"ConsoleLogin":"Success"}"#).further(
        r#","additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"}"#,
    )
}
