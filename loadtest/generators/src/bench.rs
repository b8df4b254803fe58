//! CloudTrail for the benchmark: many records, a skewed distribution of event names, few that a rule looks for.
//!
//! Callers are services and IAM users. Sessions of roles appear only among the rare calls: a public Sigma rule
//! matches every one of them, and a third of all records matching would measure the output, not the search.

use crate::GeneratedObject;
use crate::api_call::{ApiCall, CLI, Identity, SDK};
use crate::company::{ACCOUNTS, PEOPLE, PRODUCTION, SERVICE_ROLES};
use crate::seeded_random::SeededRandom;
use crate::write_objects::{delivery_file, gzip};
use chrono::{DateTime, TimeDelta, Utc};

/// Records that a rule may look for, in ten thousand.
pub const RARE_PER_TEN_THOUSAND: u64 = 50;
/// 2026-01-05T00:00:00Z; the records spread over the day that begins then.
const DAY_START: i64 = 1_767_571_200;
const SECONDS_PER_DAY: u64 = 86_400;

/// `n` records in the order of their times, one JSON text each.
pub fn cloudtrail_events(seed: u64, n: u64) -> impl Iterator<Item = String> {
    let mut random = SeededRandom::new(&[seed, 0x6265_6e63]);
    (0..n).map(move |number| {
        let second = u128::from(number) * u128::from(SECONDS_PER_DAY) / u128::from(n.max(1));
        let at = day_start() + TimeDelta::seconds(i64::try_from(second).unwrap_or(0));
        if random.below(10_000) < RARE_PER_TEN_THOUSAND { rare(at, &mut random) } else { usual(at, &mut random) }
    })
}

/// The same records in delivery files of `records_per_file`, of which about 5,000 is what a busy account writes.
pub fn delivery_files(seed: u64, n: u64, records_per_file: usize) -> impl Iterator<Item = GeneratedObject> {
    let mut events = cloudtrail_events(seed, n);
    let mut names = SeededRandom::new(&[seed, 0x6669_6c65]);
    let mut written = 0_u64;
    std::iter::from_fn(move || {
        let records: Vec<String> = events.by_ref().take(records_per_file.max(1)).collect();
        if records.is_empty() {
            return None;
        }
        written += records.len() as u64;
        let second = u128::from(written) * u128::from(SECONDS_PER_DAY - 1) / u128::from(n.max(1));
        let at = day_start() + TimeDelta::seconds(i64::try_from(second).unwrap_or(0));
        let id = PRODUCTION.id;
        let key = format!(
            "AWSLogs/{id}/CloudTrail/us-east-1/{}/{id}_CloudTrail_us-east-1_{}_{}.json.gz",
            at.format("%Y/%m/%d"),
            at.format("%Y%m%dT%H%MZ"),
            names.letters(16)
        );
        let bytes = gzip(delivery_file(records.iter().map(String::as_str)).as_bytes());
        Some(GeneratedObject { key, bytes, source: "cloudtrail", n_records: records.len() })
    })
}

fn day_start() -> DateTime<Utc> {
    DateTime::from_timestamp(DAY_START, 0).unwrap_or_default()
}

/// Weight, service, event name, request. The weights fall off as they do in real accounts.
const USUAL: [(u64, &str, &str, &str); 40] = [
    (2600, "sts", "AssumeRole", r#"{"roleArn":"arn:aws:iam::111122223333:role/$role","roleSessionName":"$id"}"#),
    (
        1500,
        "kms",
        "Decrypt",
        r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::$bucket"}}"#,
    ),
    (950, "s3", "GetObject", r#"{"bucketName":"$bucket","Host":"$bucket.s3.amazonaws.com","key":"2026/$id.json"}"#),
    (800, "s3", "PutObject", r#"{"bucketName":"$bucket","Host":"$bucket.s3.amazonaws.com","key":"2026/$id.json"}"#),
    (600, "ec2", "DescribeInstances", r#"{"instancesSet":{"items":[{"instanceId":"i-0$id"}]},"filterSet":{}}"#),
    (450, "s3", "GetBucketAcl", r#"{"bucketName":"$bucket","acl":""}"#),
    (400, "kms", "GenerateDataKey", r#"{"keyId":"alias/$role","keySpec":"AES_256"}"#),
    (
        350,
        "ssm",
        "UpdateInstanceInformation",
        r#"{"instanceId":"i-0$id","agentVersion":"3.3.2299.0","platformType":"Linux"}"#,
    ),
    (
        300,
        "ec2",
        "DescribeNetworkInterfaces",
        r#"{"networkInterfaceIdSet":{},"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"vpc-0$id"}]}}]}}"#,
    ),
    (260, "logs", "CreateLogStream", r#"{"logGroupName":"/larkspur/$role","logStreamName":"$id"}"#),
    (220, "ec2", "DescribeSecurityGroups", r#"{"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#),
    (190, "secretsmanager", "GetSecretValue", r#"{"secretId":"$role/database"}"#),
    (
        170,
        "ecr",
        "BatchGetImage",
        r#"{"repositoryName":"$role","imageIds":[{"imageTag":"$id"}],"acceptedMediaTypes":["application/json"]}"#,
    ),
    (150, "ecr", "GetDownloadUrlForLayer", r#"{"repositoryName":"$role","layerDigest":"sha256:$id"}"#),
    (140, "ecr", "GetAuthorizationToken", ""),
    (130, "lambda", "GetFunction20150331v2", r#"{"functionName":"$role"}"#),
    (
        120,
        "elasticloadbalancing",
        "DescribeTargetHealth",
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/$role/$id"}"#,
    ),
    (110, "autoscaling", "DescribeAutoScalingGroups", ""),
    (100, "dynamodb", "DescribeTable", r#"{"tableName":"$role"}"#),
    (95, "sqs", "GetQueueAttributes", r#"{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/$role"}"#),
    (90, "sns", "GetTopicAttributes", r#"{"topicArn":"arn:aws:sns:us-east-1:111122223333:$role"}"#),
    (85, "iam", "GetRole", r#"{"roleName":"$role"}"#),
    (80, "iam", "ListAttachedRolePolicies", r#"{"roleName":"$role"}"#),
    (75, "cloudformation", "DescribeStacks", r#"{"stackName":"$role"}"#),
    (70, "ecs", "DescribeServices", r#"{"services":["$role"],"cluster":"larkspur"}"#),
    (65, "ecs", "DescribeTasks", r#"{"tasks":["$id"],"cluster":"larkspur"}"#),
    (
        60,
        "ecs",
        "RegisterTaskDefinition",
        r#"{"family":"$role","containerDefinitions":[{"name":"$role","image":"$role:$id","command":["serve","--port","8080"]}]}"#,
    ),
    (55, "rds", "DescribeDBInstances", r#"{"dBInstanceIdentifier":"$role"}"#),
    (50, "ec2", "DescribeVolumes", r#"{"volumeSet":{},"filterSet":{}}"#),
    (
        45,
        "ec2",
        "CreateTags",
        r#"{"resourcesSet":{"items":[{"resourceId":"i-0$id"}]},"tagSet":{"items":[{"key":"service","value":"$role"}]}}"#,
    ),
    (40, "monitoring", "DescribeAlarms", r#"{"maxRecords":100}"#),
    (
        35,
        "config",
        "PutEvaluations",
        r#"{"evaluations":[{"complianceResourceType":"AWS::S3::Bucket","complianceResourceId":"$bucket","complianceType":"COMPLIANT"}],"testMode":false}"#,
    ),
    (30, "guardduty", "ListFindings", r#"{"detectorId":"12abc34d567e8fa901bc2d34e56789f0"}"#),
    (25, "cloudtrail", "LookupEvents", r#"{"maxResults":50}"#),
    (22, "organizations", "DescribeOrganization", ""),
    (20, "s3", "GetBucketPolicy", r#"{"bucketName":"$bucket","policy":""}"#),
    (
        18,
        "ec2",
        "RunInstances",
        r#"{"instancesSet":{"items":[{"imageId":"ami-0$id","minCount":1,"maxCount":1}]},"instanceType":"m7g.large"}"#,
    ),
    (16, "ec2", "TerminateInstances", r#"{"instancesSet":{"items":[{"instanceId":"i-0$id"}]}}"#),
    (14, "s3", "PutBucketTagging", r#"{"bucketName":"$bucket","tagging":""}"#),
    (12, "sts", "GetCallerIdentity", ""),
];

/// Service, event name, request, response: calls that rules of many authors look for.
const RARE: [(&str, &str, &str, &str); 52] = [
    ("cloudtrail", "StopLogging", r#"{"name":"larkspur-main"}"#, ""),
    ("cloudtrail", "UpdateTrail", r#"{"name":"larkspur-main","isMultiRegionTrail":false}"#, ""),
    ("cloudtrail", "DeleteTrail", r#"{"name":"larkspur-$id"}"#, ""),
    ("guardduty", "DeleteDetector", r#"{"detectorId":"$id"}"#, ""),
    ("guardduty", "UpdateDetector", r#"{"detectorId":"$id","enable":false}"#, ""),
    ("guardduty", "CreateIPSet", r#"{"detectorId":"$id","name":"office","activate":true}"#, ""),
    ("config", "StopConfigurationRecorder", r#"{"configurationRecorderName":"default"}"#, ""),
    ("config", "DeleteDeliveryChannel", r#"{"deliveryChannelName":"default"}"#, ""),
    ("ec2", "DeleteFlowLogs", r#"{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-$id"}}}"#, ""),
    (
        "ec2",
        "CreateNetworkAclEntry",
        r#"{"networkAclId":"acl-$id","ruleAction":"allow","egress":false,"cidrBlock":"0.0.0.0/0"}"#,
        r#"{"_return":true}"#,
    ),
    ("ec2", "CreateRoute", r#"{"routeTableId":"rtb-$id","destinationCidrBlock":"0.0.0.0/0"}"#, r#"{"_return":true}"#),
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        r#"{"groupId":"sg-$id","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}"#,
        r#"{"_return":true}"#,
    ),
    ("ec2", "RevokeSecurityGroupEgress", r#"{"groupId":"sg-$id"}"#, r#"{"_return":true}"#),
    ("ec2", "ImportKeyPair", r#"{"keyName":"key-$id"}"#, ""),
    ("ec2", "DisableEbsEncryptionByDefault", r#"{"DisableEbsEncryptionByDefaultRequest":""}"#, ""),
    ("ec2", "ModifyInstanceAttribute", r#"{"instanceId":"i-0$id","attribute":"userData"}"#, r#"{"_return":true}"#),
    (
        "ec2",
        "ModifySnapshotAttribute",
        r#"{"snapshotId":"snap-$id","createVolumePermission":{"add":{"items":[{"userId":"999988887777"}]}}}"#,
        r#"{"_return":true}"#,
    ),
    ("ec2", "CreateInstanceExportTask", r#"{"instanceId":"i-0$id","targetEnvironment":"vmware"}"#, ""),
    ("elasticloadbalancing", "SetSecurityGroups", r#"{"securityGroups":["sg-$id"]}"#, ""),
    ("rds", "AuthorizeDBSecurityGroupIngress", r#"{"dBSecurityGroupName":"$role"}"#, ""),
    ("rds", "DeleteDBCluster", r#"{"dBClusterIdentifier":"$role","skipFinalSnapshot":true}"#, ""),
    (
        "rds",
        "ModifyDBInstance",
        r#"{"dBInstanceIdentifier":"$role"}"#,
        r#"{"pendingModifiedValues":{"masterUserPassword":"****"}}"#,
    ),
    ("rds", "RestoreDBInstanceFromDBSnapshot", r#"{"dBSnapshotIdentifier":"$role"}"#, r#"{"publiclyAccessible":true}"#),
    ("s3", "DeleteBucket", r#"{"bucketName":"$bucket-$id"}"#, ""),
    ("s3", "PutBucketVersioning", r#"{"bucketName":"$bucket","VersioningConfiguration":{"Status":"Suspended"}}"#, ""),
    ("s3", "PutBucketLogging", r#"{"bucketName":"$bucket","logging":""}"#, ""),
    ("s3", "PutBucketWebsite", r#"{"bucketName":"$bucket","website":""}"#, ""),
    ("s3", "ListBuckets", r#"{"Host":"s3.amazonaws.com"}"#, ""),
    (
        "iam",
        "CreateAccessKey",
        r#"{"userName":"svc-$role"}"#,
        r#"{"accessKey":{"userName":"svc-$role","status":"Active","accessKeyId":"AKIAI44QH8DHBEXAMPLE"}}"#,
    ),
    ("iam", "UpdateLoginProfile", r#"{"userName":"svc-$role"}"#, ""),
    ("iam", "UpdateSAMLProvider", r#"{"sAMLProviderArn":"arn:aws:iam::111122223333:saml-provider/$role"}"#, ""),
    ("iam", "DeleteSAMLProvider", r#"{"sAMLProviderArn":"arn:aws:iam::111122223333:saml-provider/$role"}"#, ""),
    ("kms", "ImportKeyMaterial", r#"{"keyId":"alias/$role"}"#, ""),
    ("lambda", "CreateFunctionUrlConfig", r#"{"functionName":"$role","authType":"NONE"}"#, ""),
    (
        "lambda",
        "UpdateFunctionConfiguration20150331v2",
        r#"{"functionName":"$role","layers":["arn:aws:lambda:us-east-1:111122223333:layer:$id:1"]}"#,
        "",
    ),
    (
        "ecs",
        "RegisterTaskDefinition",
        r#"{"family":"$role","containerDefinitions":[{"command":["curl","169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]}]}"#,
        "",
    ),
    ("eks", "DeleteCluster", r#"{"name":"$role"}"#, ""),
    ("eks", "CreateCluster", r#"{"name":"$role"}"#, ""),
    ("elasticache", "CreateCacheSecurityGroup", r#"{"cacheSecurityGroupName":"$role"}"#, ""),
    ("elasticache", "AuthorizeCacheSecurityGroupIngress", r#"{"cacheSecurityGroupName":"$role"}"#, ""),
    ("elasticfilesystem", "DeleteFileSystem", r#"{"fileSystemId":"fs-$id"}"#, ""),
    ("elasticfilesystem", "DeleteMountTarget", r#"{"mountTargetId":"fsmt-$id"}"#, ""),
    ("glue", "CreateDevEndpoint", r#"{"endpointName":"$role"}"#, ""),
    ("securityhub", "BatchUpdateFindings", r#"{"workflow":{"status":"SUPPRESSED"}}"#, ""),
    ("ses", "DeleteIdentity", r#"{"identity":"example.com"}"#, ""),
    ("ssm", "SendCommand", r#"{"documentName":"AWS-RunShellScript","instanceIds":["i-0$id"]}"#, ""),
    ("sso", "DisassociateDirectory", r#"{"directoryId":"d-$id"}"#, ""),
    ("sts", "GetSessionToken", r#"{"durationSeconds":3600}"#, ""),
    ("route53", "DisableDomainTransferLock", r#"{"domainName":"example.com"}"#, ""),
    ("account", "EnableRegion", r#"{"RegionName":"af-south-1"}"#, ""),
    ("bedrock", "DeleteGuardrail", r#"{"guardrailIdentifier":"$id"}"#, ""),
    ("signin", "ConsoleLogin", "", r#"{"ConsoleLogin":"Success"}"#),
];

fn usual(at: DateTime<Utc>, random: &mut SeededRandom) -> String {
    let &(_, service, name, request) = random.pick_weighted(&USUAL, |call| call.0);
    let account = random.pick_weighted(&ACCOUNTS, |account| account.share);
    let request = fill(request, random);
    if random.chance(550) {
        let invoked_by = format!("{service}.amazonaws.com");
        let call = ApiCall::new(account, Identity::Service(service), service, name).from(&invoked_by, &invoked_by);
        return call.request(&request).json(at, random);
    }
    let identity = Identity::User { name: SERVICE_ROLES[at.timestamp().unsigned_abs() as usize % 8].role, mfa: None };
    let from = format!("10.{}.2.{}", account.network, random.between(10, 250));
    let call = ApiCall::new(account, identity, service, name).from(&from, SDK).request(&request);
    let call = if random.chance(15) { call.error("ThrottlingException", "Rate exceeded") } else { call };
    call.json(at, random)
}

fn rare(at: DateTime<Utc>, random: &mut SeededRandom) -> String {
    let &(service, name, request, response) = random.pick(&RARE);
    let (request, response) = (fill(request, random), fill(response, random));
    let person = *random.pick(&PEOPLE);
    let identity = match random.below(10) {
        0 => Identity::Root,
        1 => Identity::Role { role: "deploy", session: "build-8812" },
        _ => Identity::User { name: person, mfa: Some(random.chance(500)) },
    };
    let further = if name == "ConsoleLogin" {
        ",\"additionalEventData\":{\"MobileVersion\":\"No\",\"MFAUsed\":\"No\"}"
    } else {
        ""
    };
    let agent = match random.below(12) {
        0 => "TruffleHog",
        1 => "[S3 Browser/12.7.5 (https://s3browser.com)]",
        _ => CLI,
    };
    let account = random.pick(&ACCOUNTS);
    let from = format!("203.0.113.{}", random.between(1, 255));
    let call = ApiCall::new(account, identity, service, name).from(&from, agent).request(&request).response(&response);
    let call =
        if random.chance(150) { call.response("").error("AccessDenied", "User is not authorized") } else { call };
    call.further(further).json(at, random)
}

fn fill(text: &str, random: &mut SeededRandom) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let service = random.pick(&SERVICE_ROLES);
    text.replace("$bucket", service.bucket).replace("$role", service.role).replace("$id", &random.hex(8))
}
