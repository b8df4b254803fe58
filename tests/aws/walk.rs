//! One alert's way through a deployment on AWS, from a raw object to whoever is told of it.

use crate::cloud::{Cloud, MAIL_DOMAIN, wait_for};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::TimeDelta;
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, STOP_LOGGING, action_of, file_of, record};
use mantissa_tests::installation::Installation;
use mantissa_tests::receiver::{Answer, Notification, Receiver};
use mantissa_tests::smtp_server::{Encryption, SmtpBehaviour, SmtpServer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The first one's name has what notifications of S3 encode.
const OBJECTS: [&str; 3] = ["a b+c.json", "second.json", "third.json"];
const N_ALERTS: usize = 24;

pub(crate) fn configuration(receiver: &Receiver) -> String {
    format!(
        "[scheduler]\nsettle_ms = 200\nevery_s = 1\n[delivery]\nallow_loopback = true\n\
         [[destinations]]\nid = 'on-call'\ntype = 'webhook'\nurl = '{}'\nsigning_secret = 'signing_key'\n",
        receiver.url()
    )
}

const MAIL_TO: &str = "soc@example.com";

/// Who sends mails and who gets them.
pub(crate) fn mail_configuration(smtp: &str) -> String {
    format!(
        "[mail]\nfrom = 'Mantissa Log <alerts@{MAIL_DOMAIN}>'\n{smtp}\
         [[destinations]]\nid = 'by-mail'\ntype = 'email'\nto = '{MAIL_TO}'\n"
    )
}

/// A queue of somebody else's that subscribes to what it wants to hear of alerts.
async fn subscribe_outside(cloud: &Cloud, message_type: &str) -> String {
    let (sns, sqs) = (aws_sdk_sns::Client::new(&cloud.config), aws_sdk_sqs::Client::new(&cloud.config));
    let (arn, topic) = ("arn:aws:sqs:us-east-1:000000000000:somebody-elses", cloud.output("alertsTopicArn"));
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
    }]});
    let create = sqs.create_queue().queue_name("somebody-elses");
    let create = create.attributes(QueueAttributeName::Policy, policy.to_string());
    let url = create.send().await.unwrap().queue_url.unwrap();
    sns.subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(arn)
        .attributes("RawMessageDelivery", "true")
        .attributes("FilterPolicy", json!({ "type": [message_type] }).to_string())
        .send()
        .await
        .unwrap();
    url
}

/// A queue of somebody else's with a rule on the event bus that matches what it wants to hear of.
async fn hear_the_bus(cloud: &Cloud, message_type: &str) -> String {
    let (events, sqs) = (aws_sdk_eventbridge::Client::new(&cloud.config), aws_sdk_sqs::Client::new(&cloud.config));
    let (name, bus) = ("hears-the-bus", cloud.output("eventBusName"));
    let pattern = json!({ "source": ["mantissa"], "detail-type": [message_type] }).to_string();
    let rule = events.put_rule().name(name).event_bus_name(bus).event_pattern(pattern).send().await.unwrap();
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": { "ArnEquals": { "aws:SourceArn": rule.rule_arn().unwrap() } },
    }]});
    let create = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::Policy, policy.to_string());
    let url = create.send().await.unwrap().queue_url.unwrap();
    let target = Target::builder().id("queue").arn(arn).build().unwrap();
    let put = events.put_targets().rule(name).event_bus_name(bus).targets(target).send().await.unwrap();
    assert_eq!(put.failed_entry_count(), 0, "{put:?}");
    url
}

async fn receive_all(cloud: &Cloud, url: &str) -> Vec<Value> {
    let sqs = aws_sdk_sqs::Client::new(&cloud.config);
    let mut bodies = Vec::new();
    loop {
        let received = sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        for message in messages {
            bodies.push(serde_json::from_str(message.body().unwrap()).unwrap());
            let delete = sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap());
            delete.send().await.unwrap();
        }
    }
}

/// The alerts that a queue is told of, as soon as they are so many.
async fn heard_of(
    cloud: &Cloud,
    url: &str,
    n_alerts: usize,
    alert_id: impl Fn(&Value) -> &Value + Copy,
) -> BTreeSet<String> {
    let heard_of = Mutex::new(BTreeSet::new());
    wait_for("what others hear of alerts", cloud, || async {
        for body in receive_all(cloud, url).await {
            let id = alert_id(&body).as_str().unwrap_or_else(|| panic!("no alert in {body}"));
            heard_of.lock().unwrap().insert(id.to_owned());
        }
        (heard_of.lock().unwrap().len() >= n_alerts).then_some(())
    })
    .await;
    heard_of.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_alert_goes_from_a_raw_object_to_a_signed_webhook_and_an_outside_queue() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let rules = [CREATE_USER, STOP_LOGGING].map(|rule| (format!("{}.yml", rule.action), rule.yaml()));
    let Some(mut cloud) = Cloud::start().await else { return };
    cloud.deploy(&(configuration(&receiver) + &mail_configuration("")), &rules, &[]);
    cloud.put_signing_key(Receiver::secret()).await;
    let outside = subscribe_outside(&cloud, "mantissa.alert_enriched.v1").await;
    let beside = hear_the_bus(&cloud, "mantissa.alert_opened.v1").await;

    // Long enough ago that nothing done meanwhile can have this time.
    let now = SystemClock.now() - TimeDelta::hours(2);
    let objects = objects(now);
    for (object, content) in &objects {
        cloud.put_raw_object(&format!("AWSLogs/111122223333/CloudTrail/{object}"), content.clone()).await;
    }

    let notified = wait_for("the notifications", &cloud, || async {
        let accepted = receiver.accepted();
        (accepted.len() >= N_ALERTS).then_some(accepted)
    })
    .await;
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let alerts: BTreeSet<&str> = notified.iter().map(|notification| notification.alert_id.as_str()).collect();
    assert_eq!((alerts.len(), notified.len()), (N_ALERTS, N_ALERTS), "{notified:?}");
    let subscriber = heard_of(&cloud, &outside, alerts.len(), |body| &body["data"]["alert"]["alert_id"]).await;
    assert!(subscriber.iter().map(String::as_str).eq(alerts.iter().copied()), "{subscriber:?}");
    let on_the_bus =
        heard_of(&cloud, &beside, alerts.len(), |event| &event["detail"]["data"]["alert"]["alert_id"]).await;
    assert!(on_the_bus.iter().map(String::as_str).eq(alerts), "{on_the_bus:?}");

    let mails = wait_for("the mails", &cloud, || async {
        let mails = cloud.mails().await;
        (mails.len() >= N_ALERTS).then_some(mails)
    })
    .await;
    assert_eq!(mails.len(), N_ALERTS, "{mails:?}");
    let mails: BTreeSet<[String; 4]> = mails.iter().map(mail_of).collect();

    // The end of a query was told by the rule that listens for it.
    const HEARD: &str = "messages from mantissa-test-result-poller-query_ended";
    wait_for("the end of a query", &cloud, || async { cloud.emulator.log().contains(HEARD).then_some(()) }).await;

    // One machine with the same rules and the same object finds the same alerts and tells the same of them.
    let nearby = Receiver::start(Answer::ACCEPT);
    let machine = Installation::new(&[CREATE_USER, STOP_LOGGING], &[("on-call", nearby.url())]);
    let relay = SmtpServer::start(SmtpBehaviour::usual(Encryption::None));
    let smtp = format!("[mail.smtp]\nhost = '{}'\nport = {}\ntls = 'none'\n", SmtpServer::HOST, relay.port);
    machine.configure_also(&mail_configuration(&smtp));
    let _server = machine.start();
    for (object, content) in &objects {
        machine.drop_in(object, content.clone());
    }
    let told_nearby = wait_for("the notifications of one machine", &cloud, || async {
        let accepted = nearby.accepted();
        (accepted.len() >= N_ALERTS).then_some(accepted)
    })
    .await;
    assert_eq!(told_nearby.len(), N_ALERTS);
    assert_eq!(comparable(&told_nearby, now), comparable(&notified, now));
    let relayed = wait_for("the mails of one machine", &cloud, || async {
        let relayed = relay.taken();
        (relayed.len() >= N_ALERTS).then_some(relayed)
    })
    .await;
    assert_eq!(relayed.len(), N_ALERTS);
    let relayed: BTreeSet<[String; 4]> = relayed
        .iter()
        .map(|mail| {
            let read = mail.read();
            [mail.to.join(","), read.subject, read.text, read.html]
        })
        .collect();
    assert_eq!(relayed, mails);
}

/// Records of different people: which of two alerts on one is seen beside the other depends on which comes first. Some are
/// of none of the rules.
fn objects(now: Instant) -> Vec<(&'static str, String)> {
    let records: Vec<String> = (0..N_ALERTS + 6)
        .map(|number| record(&format!("e{number}"), action_of(number, N_ALERTS), &format!("user-{number}"), now))
        .collect();
    OBJECTS.into_iter().zip(records.chunks(records.len() / OBJECTS.len()).map(file_of)).collect()
}

/// To whom, subject, text and HTML.
fn mail_of(kept: &Value) -> [String; 4] {
    let text = |part: &str| kept[part].as_str().unwrap_or_default().to_owned();
    let to: Vec<&str> = kept["To"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    [to.join(","), text("Subject"), text("BodyText"), text("BodyHtml")]
}

/// What was told, without what two runs cannot share: when they did it, and where the object lay.
fn comparable(notified: &[Notification], event_time: Instant) -> BTreeMap<String, Value> {
    let plain = |notification: &Notification| {
        let mut body = notification.body.clone();
        visit(&mut body, &mut |text| {
            let is_time = text.parse::<Instant>().is_ok_and(|time| (time - event_time).abs() > TimeDelta::seconds(1));
            if is_time {
                "when it was done".clone_into(text);
            } else if let Some(object) = OBJECTS.into_iter().find(|object| text.ends_with(object)) {
                object.clone_into(text);
            }
        });
        (notification.webhook_id.clone(), body)
    };
    notified.iter().map(plain).collect()
}

fn visit(value: &mut Value, text: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(string) => text(string),
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, text)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| visit(field, text)),
        _ => {}
    }
}
