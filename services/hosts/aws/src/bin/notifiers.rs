//! Makes destinations agree with the state of alerts. Each function of this binary serves the queue of one destination type.

use mantissa_hosts_aws::{Deployment, Function};
use mantissa_notifiers::{
    AddressPolicy, HttpConfig, HttpSender, NotificationHandler, NotifierConfig, NotifierDeps, OutboundMail,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let settings = deployment.configuration().await?.settings;
    let mut config = NotifierConfig::new(deployment.process());
    config.base_url = settings.base_url()?;
    let policy = match settings.delivery.allow_loopback {
        true => AddressPolicy::AllowLoopback,
        false => AddressPolicy::Public,
    };
    let deps = NotifierDeps {
        alerts: deployment.alerts()?,
        deliveries: deployment.deliveries()?,
        destinations: deployment.destinations()?,
        secrets: deployment.secrets()?,
        clock: deployment.clock.clone(),
        http: HttpSender::new(&HttpConfig::new(policy))?,
        mail: settings.mail.map(|mail| OutboundMail { mailer: deployment.mailer(), from: mail.from }),
        config,
    };
    let mut function = Function::new(deployment);
    for queue in function.own_queues() {
        function = function.work(queue, NotificationHandler::new(deps.clone()))?;
    }
    function.serve().await
}
