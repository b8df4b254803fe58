//! Larkspur Freight: who works there, and what they run.

/// An AWS account of the company.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) id: &'static str,
    /// Second octet of its VPC, `10.<octet>.0.0/16`.
    pub(crate) network: u8,
    pub(crate) interfaces: [&'static str; 4],
    pub(crate) flow_log: &'static str,
    /// How much of the company's traffic it has, in percent.
    pub(crate) share: u64,
}

pub(crate) const PRODUCTION: Account = Account {
    id: "111122223333",
    network: 20,
    interfaces: ["eni-0b2fc5457066bc1a6", "eni-0858304751c757b2e", "eni-0bf22c72ebe087ac9", "eni-07e5d76940fbaa5c6"],
    flow_log: "fl-01c07217476488e53",
    share: 60,
};
pub(crate) const DEVELOPMENT: Account = Account {
    id: "444455556666",
    network: 30,
    interfaces: ["eni-0123a45b67c89d0e1", "eni-0223a45b67c89d0e2", "eni-0323a45b67c89d0e3", "eni-0423a45b67c89d0e4"],
    flow_log: "fl-02d18328587599f64",
    share: 30,
};
pub(crate) const SECURITY: Account = Account {
    id: "777788889999",
    network: 40,
    interfaces: ["eni-0523a45b67c89d0e5", "eni-0623a45b67c89d0e6", "eni-0723a45b67c89d0e7", "eni-0823a45b67c89d0e8"],
    flow_log: "fl-03e29439698600a75",
    share: 10,
};
pub(crate) const ACCOUNTS: [Account; 3] = [PRODUCTION, DEVELOPMENT, SECURITY];

/// People who sign in; their office and VPN leave through [`OFFICE_ADDRESSES`].
pub(crate) const PEOPLE: [&str; 12] = [
    "maya.ortiz",
    "theo.lindqvist",
    "ada.brandt",
    "samir.haddad",
    "june.okafor",
    "piotr.zielinski",
    "lena.fischer",
    "carlos.mendes",
    "ingrid.dahl",
    "tomas.novak",
    "priya.raman",
    "noah.whitfield",
];

/// The documentation range TEST-NET-1 stands for the company's own public addresses.
pub(crate) const OFFICE_ADDRESSES: [&str; 3] = ["192.0.2.10", "192.0.2.11", "192.0.2.12"];

/// Roles of services: role, secret it reads, bucket it uses, key of its instance session or its function.
pub(crate) struct ServiceRole {
    pub(crate) role: &'static str,
    pub(crate) session: &'static str,
    pub(crate) bucket: &'static str,
    pub(crate) secret: &'static str,
    /// Its calls come from this host number of the VPC.
    pub(crate) host: u8,
}

pub(crate) const SERVICE_ROLES: [ServiceRole; 8] = [
    service("portal-web", "i-0f00ba4c1d2e3f401", "larkspur-portal-assets", "portal/session-key", 11),
    service("portal-api", "i-0f00ba4c1d2e3f402", "larkspur-documents", "portal/database", 12),
    service("rates-engine", "rates-engine", "larkspur-rates", "rates/provider", 13),
    service("customs-bridge", "customs-bridge", "larkspur-customs", "customs/certificate", 14),
    service("tracking-ingest", "tracking-ingest", "larkspur-tracking", "tracking/stream", 15),
    service("manifest-export", "i-0f00ba4c1d2e3f406", "larkspur-manifests", "manifests/sftp", 16),
    service("billing", "billing", "larkspur-invoices", "billing/gateway", 17),
    service("deploy", "build-8812", "larkspur-artifacts", "deploy/registry", 18),
];

const fn service(
    role: &'static str,
    session: &'static str,
    bucket: &'static str,
    secret: &'static str,
    host: u8,
) -> ServiceRole {
    ServiceRole { role, session, bucket, secret, host }
}

pub(crate) const BASTION: &str = "bastion-1";
pub(crate) const WEB_HOSTS: [&str; 2] = ["web-1", "web-2"];
pub(crate) const APP_HOSTS: [&str; 2] = ["app-1", "app-2"];
