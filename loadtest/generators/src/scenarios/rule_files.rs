//! The rules that the attacks name. A test compares them with the files under `rules/`.

use super::RuleFile;

pub(super) const ACCELERATED_INSTANCES_LAUNCHED: RuleFile =
    RuleFile { path: "cloudtrail/accelerated_instances_launched.yml", id: "dc229380-7ea9-4184-b6af-14df0af1832b" };
pub(super) const ACCESS_DENIED_BURST: RuleFile =
    RuleFile { path: "cloudtrail/access_denied_burst.yml", id: "1fba9d4d-2b08-4284-aa03-a1183fb9408d" };
pub(super) const ACCESS_KEY_CREATED_FOR_OTHER_USER: RuleFile =
    RuleFile { path: "cloudtrail/access_key_created_for_other_user.yml", id: "7495ebbf-5e6f-4724-a627-29ec57c1c152" };
pub(super) const ADMINISTRATOR_POLICY_ATTACHED: RuleFile =
    RuleFile { path: "cloudtrail/administrator_policy_attached.yml", id: "ea1e3694-3017-44d6-a19e-d59cc9b3db1d" };
pub(super) const ADMIN_PORT_ACCEPTED_FROM_INTERNET: RuleFile =
    RuleFile { path: "vpc_flow/admin_port_accepted_from_internet.yml", id: "4d311a35-d9fc-4629-af88-cefd46185308" };
pub(super) const ADMIN_PORT_OPEN_TO_INTERNET: RuleFile =
    RuleFile { path: "cloudtrail/admin_port_open_to_internet.yml", id: "a8e91886-bd60-4779-8ce0-973b5292a09a" };
pub(super) const ANY_ACTIVE_FINDING: RuleFile =
    RuleFile { path: "guardduty/any_active_finding.yml", id: "2ae07219-84f9-49b6-a05f-010926757336" };
pub(super) const APP_ADMIN_ROLE_GRANTED: RuleFile =
    RuleFile { path: "application/app_admin_role_granted.yml", id: "e4917b7d-d019-44df-891b-dc0d896870f3" };
pub(super) const APP_PASSWORD_SPRAY: RuleFile =
    RuleFile { path: "application/app_password_spray.yml", id: "3f3fa984-dad0-4d7a-b023-e346e1a9a594" };
pub(super) const CONSOLE_LOGIN_FAILURES: RuleFile =
    RuleFile { path: "cloudtrail/console_login_failures.yml", id: "7603247e-3362-49cb-a60c-458b0e1491b8" };
pub(super) const CONSOLE_LOGIN_WITHOUT_MFA: RuleFile =
    RuleFile { path: "cloudtrail/console_login_without_mfa.yml", id: "c085528a-29d8-4b66-a7fe-618e950bb1c3" };
pub(super) const CREDENTIALS_COMPROMISED: RuleFile =
    RuleFile { path: "guardduty/credentials_compromised.yml", id: "4d0a0a8a-27f9-45d0-85a6-04b91609788e" };
pub(super) const CRITICAL_API_CALL: RuleFile =
    RuleFile { path: "cloudtrail/critical_api_call.yml", id: "3d31239e-f505-429b-aea4-83015885b418" };
pub(super) const CRYPTO_MINING: RuleFile =
    RuleFile { path: "guardduty/crypto_mining.yml", id: "013392a4-64f8-411e-b359-40a19211a61c" };
pub(super) const ENUMERATION_BY_USER_KEY: RuleFile =
    RuleFile { path: "cloudtrail/enumeration_by_user_key.yml", id: "858c4fab-4f8b-4496-9659-9e20406e08c8" };
pub(super) const FLOW_LOGS_DELETED: RuleFile =
    RuleFile { path: "cloudtrail/flow_logs_deleted.yml", id: "d838ef4f-a15c-40a3-8032-db758dd8a236" };
pub(super) const HIGH_SEVERITY_FINDING: RuleFile =
    RuleFile { path: "guardduty/high_severity_finding.yml", id: "5825c1a0-f910-417f-b5b3-6f1a2e5eb990" };
pub(super) const HOST_SWEEP: RuleFile =
    RuleFile { path: "vpc_flow/host_sweep.yml", id: "3f5d419d-f110-4530-9bc3-8c1ea5057fd4" };
pub(super) const INSTANCE_CREDENTIALS_FROM_OUTSIDE: RuleFile =
    RuleFile { path: "cloudtrail/instance_credentials_from_outside.yml", id: "5576393a-c533-424e-a5b8-9f1ec0c4237f" };
pub(super) const LARGE_EGRESS: RuleFile =
    RuleFile { path: "vpc_flow/large_egress.yml", id: "f56c95ac-e6ec-40d4-a91c-6f88607da856" };
pub(super) const LATERAL_MOVEMENT_FAN_OUT: RuleFile =
    RuleFile { path: "vpc_flow/lateral_movement_fan_out.yml", id: "8a589d9d-fef6-48eb-bfa1-c3e643a38a58" };
pub(super) const LOCAL_ACCOUNT_CREATED: RuleFile =
    RuleFile { path: "application/local_account_created.yml", id: "ac0d0f91-07fa-4f7b-98b7-1559d84d1d05" };
pub(super) const MINING_POOL_CONNECTION: RuleFile =
    RuleFile { path: "vpc_flow/mining_pool_connection.yml", id: "0ce815c8-fc00-451b-bc86-6b17ae5fe2d5" };
pub(super) const PORT_SCAN: RuleFile =
    RuleFile { path: "vpc_flow/port_scan.yml", id: "b4d115da-0563-44c3-b1a0-2227e4280d6b" };
pub(super) const RESOURCE_POLICY_MADE_PUBLIC: RuleFile =
    RuleFile { path: "cloudtrail/resource_policy_made_public.yml", id: "907d824b-41b6-44c0-b21e-a8f5b2898dbc" };
pub(super) const ROOT_ACCOUNT_USED: RuleFile =
    RuleFile { path: "cloudtrail/root_account_used.yml", id: "d63b3ebb-d12f-4088-b1e4-9c057f7997a9" };
pub(super) const SECRETS_READ_IN_BULK: RuleFile =
    RuleFile { path: "cloudtrail/secrets_read_in_bulk.yml", id: "80e96370-8990-4bd5-b35c-f7db6ffba25a" };
pub(super) const SECURITY_GROUP_OPEN_TO_INTERNET: RuleFile =
    RuleFile { path: "cloudtrail/security_group_open_to_internet.yml", id: "95b02b6a-1479-49a4-b335-fb1ed6592612" };
pub(super) const SNAPSHOT_OR_IMAGE_MADE_PUBLIC: RuleFile =
    RuleFile { path: "cloudtrail/snapshot_or_image_made_public.yml", id: "5198d5d9-e639-4ef9-b2e7-3303f97b132e" };
pub(super) const SNAPSHOT_OR_IMAGE_SHARED: RuleFile =
    RuleFile { path: "cloudtrail/snapshot_or_image_shared.yml", id: "226b17dd-d79c-4613-8944-fd9d627b20f2" };
pub(super) const SSH_BRUTE_FORCE: RuleFile =
    RuleFile { path: "application/ssh_brute_force.yml", id: "ce584545-c899-44ac-ae74-c84bc9f5a411" };
pub(super) const SSH_PASSWORD_LOGIN_FROM_INTERNET: RuleFile =
    RuleFile { path: "application/ssh_password_login_from_internet.yml", id: "ef6f4be4-87eb-4d68-a825-d202359f8355" };
pub(super) const TRAIL_STOPPED_OR_DELETED: RuleFile =
    RuleFile { path: "cloudtrail/trail_stopped_or_deleted.yml", id: "639522cb-3bd1-4899-af31-390f6917715e" };
pub(super) const WEB_ERROR_BURST: RuleFile =
    RuleFile { path: "application/web_error_burst.yml", id: "e2c35a9b-a1ce-4f7c-9a0f-44862dcf045b" };
pub(super) const WEB_PATH_TRAVERSAL: RuleFile =
    RuleFile { path: "application/web_path_traversal.yml", id: "4fa18925-0815-44ba-b013-7782d0d49ba2" };
pub(super) const WEB_SCANNER_USER_AGENT: RuleFile =
    RuleFile { path: "application/web_scanner_user_agent.yml", id: "8a7de80b-80cd-420d-9b7d-99362d2791aa" };
pub(super) const WEB_SENSITIVE_FILE_PROBE: RuleFile =
    RuleFile { path: "application/web_sensitive_file_probe.yml", id: "ac6e3efc-7bd8-4289-8201-29565be76ce1" };
pub(super) const WEB_SQL_INJECTION: RuleFile =
    RuleFile { path: "application/web_sql_injection.yml", id: "e74e099e-e999-4e56-a4c8-f2ff2beaad3d" };
