//! What is known about the entities an alert names.

use crate::{EnrichmentDeps, Error};
use chrono::TimeDelta;
use mantissa_contracts::messages::AlertSnapshot;
use mantissa_contracts::messages::alert_enriched::v1::{AlertContext, Entity, EntityKind, RelatedAlert};
use mantissa_contracts::time::TimeWindow;
use mantissa_domain::address;
use maxminddb::{Reader, geoip2};
use std::collections::BTreeMap;
use std::net::IpAddr;

const MAX_RELATED: usize = 20;

/// Entities of the alert key with their facts, and the alerts of the last 24 hours that name one of them.
pub async fn gather_context(deps: &EnrichmentDeps, alert: &AlertSnapshot) -> Result<AlertContext, Error> {
    let mut entities: Vec<Entity> = Vec::new();
    for part in &alert.alert_key {
        let Some(value) = part.value.as_deref().filter(|value| !value.is_empty()) else { continue };
        if entities.iter().any(|entity| entity.value == value) {
            continue;
        }
        let kind = kind_of(&part.field, value);
        entities.push(Entity { facts: facts_of(deps, &kind, value), kind, value: value.to_owned() });
    }
    let values: Vec<String> = entities.iter().map(|entity| entity.value.clone()).collect();
    let day_before =
        TimeWindow::new(alert.opened_at - TimeDelta::hours(24), alert.opened_at + TimeDelta::milliseconds(1));
    let (related, n_related_24h) = match values.is_empty() {
        true => (Vec::new(), 0),
        false => deps.alerts.related(&values, day_before, &alert.alert_id, MAX_RELATED).await?,
    };
    let related = related
        .into_iter()
        .map(|other| RelatedAlert { alert_id: other.alert_id, title: other.title, opened_at: other.opened_at })
        .collect();
    Ok(AlertContext { entities, related, n_related_24h })
}

fn kind_of(field: &str, value: &str) -> EntityKind {
    let field = field.to_ascii_lowercase();
    let last = field.rsplit('.').next().unwrap_or(&field);
    if value.parse::<IpAddr>().is_ok() {
        EntityKind::Address
    } else if last.contains("account") && value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        EntityKind::Account
    } else if value.starts_with("arn:") || last.contains("user") || last.contains("principal") || last == "arn" {
        EntityKind::Principal
    } else if last.contains("host") || last.contains("instance") {
        EntityKind::Host
    } else {
        EntityKind::Other
    }
}

fn facts_of(deps: &EnrichmentDeps, kind: &EntityKind, value: &str) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    if let (EntityKind::Address, Ok(ip)) = (kind, value.parse::<IpAddr>()) {
        facts.insert("address_class".to_owned(), address::classify(ip).as_str().to_owned());
        if let Some(database) = &deps.addresses {
            add_network_facts(&mut facts, database, ip);
        }
    }
    if let Some(account) = account_in(value) {
        facts.insert("account_id".to_owned(), account.to_owned());
        if let Some(notes) = deps.assets.facts_of(account) {
            facts.extend(notes.iter().map(|(name, note)| (format!("account_{name}"), note.clone())));
        }
    }
    if let Some(notes) = deps.assets.facts_of(value) {
        // What the user wrote about this very entity wins.
        facts.extend(notes.clone());
    }
    facts
}

/// The account of an ARN: `arn:aws:iam::111122223333:user/ana`.
fn account_in(value: &str) -> Option<&str> {
    let account = value.strip_prefix("arn:")?.split(':').nth(3)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// Reads whichever of country and network the database has; an address it does not know adds nothing.
fn add_network_facts(facts: &mut BTreeMap<String, String>, database: &Reader<Vec<u8>>, ip: IpAddr) {
    let Ok(found) = database.lookup(ip) else { return };
    if let Ok(Some(country)) = found.decode::<geoip2::Country>()
        && let Some(code) = country.country.iso_code
    {
        facts.insert("country".to_owned(), code.to_owned());
    }
    if let Ok(Some(network)) = found.decode::<geoip2::Asn>() {
        if let Some(number) = network.autonomous_system_number {
            facts.insert("asn".to_owned(), format!("AS{number}"));
        }
        if let Some(owner) = network.autonomous_system_organization {
            facts.insert("network_owner".to_owned(), owner.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_value_then_the_field() {
        for (field, value, expected) in [
            ("sourceIPAddress", "198.51.100.7", EntityKind::Address),
            ("sourceIPAddress", "cloudtrail.amazonaws.com", EntityKind::Other),
            ("userIdentity.arn", "arn:aws:iam::111122223333:user/ana", EntityKind::Principal),
            ("recipientAccountId", "111122223333", EntityKind::Account),
            ("host", "web-1", EntityKind::Host),
        ] {
            assert_eq!(kind_of(field, value), expected, "{field}={value}");
        }
    }

    #[test]
    fn account_is_read_from_an_arn_only() {
        assert_eq!(account_in("arn:aws:iam::111122223333:user/ana"), Some("111122223333"));
        assert_eq!(account_in("arn:aws:s3:::bucket"), None);
        assert_eq!(account_in("111122223333"), None);
    }
}
