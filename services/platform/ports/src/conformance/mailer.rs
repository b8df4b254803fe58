//! The contract of the Mailer port.

use super::MailerFixture;
use crate::mailer::{Mail, MailErrorKind};

#[macro_export]
macro_rules! mailer_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { mailer, [$($how)*],
            mail_that_was_taken_arrives_for_everyone_it_is_for
            subject_and_bodies_arrive_as_they_were_written
            mail_refers_to_its_thread_and_says_that_a_machine_wrote_it
            same_mail_handed_over_twice_comes_twice
            sender_that_may_not_send_is_refused
            mail_for_nobody_is_refused
            malformed_address_is_refused
        }
    };
}

/// A mail as its receiver has it. What a fixture cannot see is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArrivedMail {
    pub to: Vec<String>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    /// Of `References` and `Auto-Submitted`.
    pub headers: Option<[String; 2]>,
}

const SUBJECT: &str =
    "Zażółć gęślą jaźń: a subject that is far too long for one line of a mail, so that it must be folded";
const THREAD: &str = "<alert-1@example.com>";
/// A line with a single dot ends a mail in SMTP, and no line of it may be longer than 998 bytes.
const TEXT: &str = "first\n.\n..\n\u{65e5}\u{672c} and on\nFrom the last";

fn mail_from(from: String) -> Mail {
    Mail {
        from,
        to: vec!["soc@example.com".to_owned(), "\"On call\" <on-call@example.com>".to_owned()],
        subject: SUBJECT.to_owned(),
        text: TEXT.to_owned(),
        html: format!("<p>{}</p>", "\u{17c} & wide ".repeat(200)),
        message_id: "<delivery-1@example.com>".to_owned(),
        thread: THREAD.to_owned(),
    }
}

pub async fn mail_that_was_taken_arrives_for_everyone_it_is_for(fixture: &dyn MailerFixture) {
    let taken = fixture.mailer().send(&mail_from(fixture.sender())).await.unwrap();
    assert!(taken.not_for.is_empty(), "{taken:?}");
    let arrived = fixture.arrived().await;
    assert_eq!(arrived.len(), 1, "{arrived:?}");
    for address in ["soc@example.com", "on-call@example.com"] {
        assert!(arrived[0].to.iter().any(|to| to.contains(address)), "{address}: {arrived:?}");
    }
}

pub async fn subject_and_bodies_arrive_as_they_were_written(fixture: &dyn MailerFixture) {
    let mail = mail_from(fixture.sender());
    fixture.mailer().send(&mail).await.unwrap();
    let arrived = fixture.arrived().await;
    assert_eq!(arrived[0].subject, SUBJECT);
    let bodies = [(&arrived[0].text, &mail.text), (&arrived[0].html, &mail.html)];
    assert!(bodies.iter().any(|(body, _)| body.is_some()), "neither body is seen");
    for (body, written) in bodies {
        if let Some(body) = body {
            assert_eq!(body.replace("\r\n", "\n").trim_end(), written.trim_end());
        }
    }
}

pub async fn mail_refers_to_its_thread_and_says_that_a_machine_wrote_it(fixture: &dyn MailerFixture) {
    fixture.mailer().send(&mail_from(fixture.sender())).await.unwrap();
    let arrived = fixture.arrived().await;
    if arrived[0].headers.is_none() {
        eprintln!("skipped: the headers of what arrived are not seen here");
        return;
    }
    assert_eq!(arrived[0].headers, Some([THREAD.to_owned(), "auto-generated".to_owned()]));
}

pub async fn same_mail_handed_over_twice_comes_twice(fixture: &dyn MailerFixture) {
    let mail = mail_from(fixture.sender());
    for _ in 0..2 {
        fixture.mailer().send(&mail).await.unwrap();
    }
    assert_eq!(fixture.arrived().await.len(), 2);
}

pub async fn sender_that_may_not_send_is_refused(fixture: &dyn MailerFixture) {
    let refused = fixture.mailer().send(&mail_from(fixture.stranger())).await.unwrap_err();
    // Who only has to prove who it is may send later.
    assert!(matches!(refused.kind, MailErrorKind::Refused | MailErrorKind::Denied), "{refused}");
    assert!(fixture.arrived().await.is_empty());
}

pub async fn mail_for_nobody_is_refused(fixture: &dyn MailerFixture) {
    let mail = Mail { to: Vec::new(), ..mail_from(fixture.sender()) };
    let refused = fixture.mailer().send(&mail).await.unwrap_err();
    assert_eq!(refused.kind, MailErrorKind::Refused, "{refused}");
}

pub async fn malformed_address_is_refused(fixture: &dyn MailerFixture) {
    let mail = Mail { to: vec!["nobody".to_owned()], ..mail_from(fixture.sender()) };
    let refused = fixture.mailer().send(&mail).await.unwrap_err();
    assert_eq!(refused.kind, MailErrorKind::Refused, "{refused}");
    assert!(fixture.arrived().await.is_empty());
}
