//! Which destinations an alert goes to: a tree of routes, and why.

use crate::matchers::Matcher;
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::AlertSnapshot;

/// A route takes an alert when all its matchers do. A deeper route that takes it decides in its place.
#[derive(Debug, Clone)]
pub struct Route {
    pub name: String,
    pub matchers: Vec<Matcher>,
    pub destinations: Vec<DestinationId>,
    /// Ask the routes after this one too.
    pub continues: bool,
    pub routes: Vec<Route>,
}

/// Every route, and what is used where neither the rule nor a route chooses a destination.
#[derive(Debug, Clone, Default)]
pub struct RoutingConfig {
    pub routes: Vec<Route>,
    pub defaults: Vec<DestinationId>,
}

/// Where an alert goes, and the steps that led there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingDecision {
    /// In the order they were chosen, each once.
    pub destinations: Vec<DestinationId>,
    pub trace: Vec<String>,
}

/// Routes an alert. Destinations the rule names are added to what the routes choose. Where neither chooses
/// any, the defaults are used: an alert is never silently sent nowhere while a destination exists.
pub fn route(alert: &AlertSnapshot, routes: &[Route], defaults: &[DestinationId]) -> RoutingDecision {
    let mut decision = RoutingDecision::default();
    for destination in &alert.rule.destinations {
        decision.trace.push(format!("rule `{}` names `{destination}`", alert.rule.rule_id));
        add(&mut decision.destinations, destination);
    }
    walk(alert, routes, "", &mut decision);
    if decision.destinations.is_empty() {
        decision.trace.push("no route took the alert, using the defaults".to_owned());
        for destination in defaults {
            add(&mut decision.destinations, destination);
        }
    }
    decision
}

fn walk(alert: &AlertSnapshot, routes: &[Route], parent: &str, decision: &mut RoutingDecision) -> bool {
    let mut taken = false;
    for route in routes {
        let name = format!("{parent}/{}", route.name);
        if let Some(refusing) = route.matchers.iter().find(|matcher| !matcher.matches(alert)) {
            decision.trace.push(format!("route `{name}` refused: `{refusing}` does not hold"));
            continue;
        }
        taken = true;
        if !walk(alert, &route.routes, &name, decision) {
            decision.trace.push(format!("route `{name}` took the alert"));
            for destination in &route.destinations {
                add(&mut decision.destinations, destination);
            }
        }
        if !route.continues {
            break;
        }
    }
    taken
}

fn add(destinations: &mut Vec<DestinationId>, destination: &DestinationId) {
    if !destinations.contains(destination) {
        destinations.push(destination.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system_alert::{self, SystemAlert};
    use chrono::DateTime;
    use mantissa_contracts::messages::Severity;

    fn alert(severity: Severity) -> AlertSnapshot {
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut rule_match = system_alert::rule_matched(SystemAlert::RuleFailing, "r", "1", "", at);
        rule_match.rule.severity = severity;
        rule_match.rule.log_source = "cloudtrail".to_owned();
        crate::dedup::decide(&[], &[&rule_match], at).unwrap().alert
    }

    fn to(name: &str, matcher: &str, destination: &str, routes: Vec<Route>) -> Route {
        Route {
            name: name.to_owned(),
            matchers: vec![Matcher::parse(matcher).unwrap()],
            destinations: vec![DestinationId::new(destination)],
            continues: false,
            routes,
        }
    }

    fn chosen(alert: &AlertSnapshot, routes: &[Route]) -> Vec<String> {
        let decision = route(alert, routes, &[DestinationId::new("default")]);
        decision.destinations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn first_route_that_takes_the_alert_decides() {
        let routes = [to("high", "severity >= high", "pager", vec![]), to("all", "severity >= info", "chat", vec![])];
        assert_eq!(chosen(&alert(Severity::Critical), &routes), ["pager"]);
        assert_eq!(chosen(&alert(Severity::Low), &routes), ["chat"]);
    }

    #[test]
    fn deeper_route_decides_in_its_parents_place() {
        let routes =
            [to("aws", "log_source = cloudtrail", "chat", vec![to("bad", "severity >= high", "pager", vec![])])];
        assert_eq!(chosen(&alert(Severity::High), &routes), ["pager"]);
        assert_eq!(chosen(&alert(Severity::Low), &routes), ["chat"]);
    }

    #[test]
    fn continuing_route_lets_later_ones_add() {
        let mut first = to("first", "severity >= info", "archive", vec![]);
        first.continues = true;
        let routes = [first, to("second", "log_source =~ cloud.*", "chat", vec![])];
        assert_eq!(chosen(&alert(Severity::Low), &routes), ["archive", "chat"]);
    }

    #[test]
    fn alert_no_route_takes_goes_to_the_defaults() {
        let routes = [to("other", "log_source != cloudtrail", "chat", vec![])];
        assert_eq!(chosen(&alert(Severity::Low), &routes), ["default"]);
    }

    #[test]
    fn rule_may_name_destinations_beside_the_routes() {
        let mut named = alert(Severity::Low);
        named.rule.destinations = vec![DestinationId::new("owner"), DestinationId::new("chat")];
        let routes = [to("all", "severity >= info", "chat", vec![])];
        assert_eq!(chosen(&named, &routes), ["owner", "chat"]);
    }

    #[test]
    fn matcher_errors_name_what_is_wrong() {
        for (text, expected) in [
            ("severity", "no operator"),
            ("severity >= awful", "severity `awful` is unknown"),
            ("colour = red", "field `colour` is unknown"),
            ("rule >= a", "`>=` compares severities only"),
            ("rule =~ (", "not a regular expression"),
        ] {
            let error = Matcher::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
