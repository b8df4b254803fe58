import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  type CreateScheduleCommandInput,
} from "@aws-sdk/client-scheduler";
import { CreateEmailIdentityCommand } from "@aws-sdk/client-sesv2";
import { CreateTopicCommand, SetTopicAttributesCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, GetQueueAttributesCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { ACCOUNT, REGION } from "./clients.ts";
import { hasStatements, overPlainHttp, present, tagList, type Inputs, type ResourceType } from "./resource_type.ts";

/** Queues, topics, rules, schedules, and who mails are from. */
export const messaging: Record<string, ResourceType> = {
  "aws:sqs/queue:Queue": {
    passes: [
      "name",
      "visibilityTimeoutSeconds",
      "messageRetentionSeconds",
      "redrivePolicy",
      "kmsMasterKeyId",
      "kmsDataKeyReusePeriodSeconds",
      "tags",
    ],
    async create(inputs, { sqs }) {
      const Attributes = given({
        VisibilityTimeout: inputs.visibilityTimeoutSeconds,
        MessageRetentionPeriod: inputs.messageRetentionSeconds,
        RedrivePolicy: inputs.redrivePolicy,
        KmsMasterKeyId: inputs.kmsMasterKeyId,
        KmsDataKeyReusePeriodSeconds: inputs.kmsDataKeyReusePeriodSeconds,
      });
      const { QueueUrl } = await sqs.send(
        new CreateQueueCommand({ QueueName: inputs.name, Attributes, tags: inputs.tags }),
      );
      const url = present(QueueUrl, "the queue's URL");
      const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }));
      return { id: url, outputs: { url, arn: present(answer.Attributes?.["QueueArn"], "the queue's ARN") } };
    },
  },
  "aws:sqs/queuePolicy:QueuePolicy": {
    passes: ["queueUrl", "policy"],
    async create(inputs, { sqs }) {
      const Policy = overPlainHttp(inputs.policy);
      if (hasStatements(Policy)) {
        await sqs.send(new SetQueueAttributesCommand({ QueueUrl: inputs.queueUrl, Attributes: { Policy } }));
      }
      return { id: inputs.queueUrl };
    },
  },
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": {
    passes: ["queueUrl", "redriveAllowPolicy"],
    async create(inputs, { sqs }) {
      const Attributes = { RedriveAllowPolicy: inputs.redriveAllowPolicy };
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl: inputs.queueUrl, Attributes }));
      return { id: inputs.queueUrl };
    },
  },
  "aws:sns/topic:Topic": {
    passes: ["name", "kmsMasterKeyId", "tags"],
    async create(inputs, { sns }) {
      const answer = await sns.send(
        new CreateTopicCommand({
          Name: inputs.name,
          Attributes: given({ KmsMasterKeyId: inputs.kmsMasterKeyId }),
          Tags: tagList(inputs),
        }),
      );
      const arn = present(answer.TopicArn, "the topic's ARN");
      return { id: arn, outputs: { arn } };
    },
  },
  "aws:sns/topicPolicy:TopicPolicy": {
    passes: ["arn", "policy"],
    async create(inputs, { sns }) {
      const AttributeValue = overPlainHttp(inputs.policy);
      if (hasStatements(AttributeValue)) {
        await sns.send(
          new SetTopicAttributesCommand({ TopicArn: inputs.arn, AttributeName: "Policy", AttributeValue }),
        );
      }
      return { id: inputs.arn };
    },
  },
  "aws:sns/topicSubscription:TopicSubscription": {
    passes: [
      "topic",
      "protocol",
      "endpoint",
      "rawMessageDelivery",
      "filterPolicy",
      "filterPolicyScope",
      "redrivePolicy",
    ],
    async create(inputs, { sns }) {
      const answer = await sns.send(
        new SubscribeCommand({
          TopicArn: inputs.topic,
          Protocol: inputs.protocol,
          Endpoint: inputs.endpoint,
          ReturnSubscriptionArn: true,
          Attributes: given({
            RawMessageDelivery: inputs.rawMessageDelivery,
            FilterPolicyScope: inputs.filterPolicyScope,
            FilterPolicy: inputs.filterPolicy,
            RedrivePolicy: inputs.redrivePolicy,
          }),
        }),
      );
      const arn = present(answer.SubscriptionArn, "the subscription's ARN");
      return { id: arn, outputs: { arn } };
    },
  },
  "aws:cloudwatch/eventBus:EventBus": {
    passes: ["name", "description", "kmsKeyIdentifier", "tags"],
    async create(inputs, { events }) {
      const answer = await events.send(
        new CreateEventBusCommand({
          Name: inputs.name,
          Description: inputs.description,
          KmsKeyIdentifier: inputs.kmsKeyIdentifier,
          Tags: tagList(inputs),
        }),
      );
      return { id: inputs.name, outputs: { arn: present(answer.EventBusArn, "the bus's ARN") } };
    },
  },
  "aws:cloudwatch/eventRule:EventRule": {
    passes: ["name", "description", "eventPattern", "tags"],
    async create(inputs, { events }) {
      const answer = await events.send(
        new PutRuleCommand({
          Name: inputs.name,
          Description: inputs.description,
          EventPattern: heardFromATest(inputs.eventPattern),
          Tags: tagList(inputs),
        }),
      );
      return { id: inputs.name, outputs: { arn: present(answer.RuleArn, "the rule's ARN") } };
    },
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    passes: ["rule", "arn", "deadLetterConfig"],
    async create(inputs, { events }) {
      const target = {
        Id: "target",
        Arn: inputs.arn,
        ...(inputs.deadLetterConfig ? { DeadLetterConfig: { Arn: inputs.deadLetterConfig.arn } } : {}),
      };
      const answer = await events.send(new PutTargetsCommand({ Rule: inputs.rule, Targets: [target] }));
      if (answer.FailedEntryCount) {
        throw new Error(`the rule takes no such target: ${JSON.stringify(answer.FailedEntries)}`);
      }
      return { id: `${inputs.rule}-target` };
    },
  },
  "aws:sesv2/emailIdentity:EmailIdentity": {
    passes: ["emailIdentity", "tags"],
    async create(inputs, { ses }) {
      const identity: string = inputs.emailIdentity;
      const answer = await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: identity, Tags: tagList(inputs) }));
      const tokens = present(answer.DkimAttributes?.Tokens, "the identity's DKIM tokens");
      // SES answers with no ARN.
      const arn = `arn:aws:ses:${REGION}:${ACCOUNT}:identity/${identity}`;
      return { id: identity, outputs: { arn, dkimSigningAttributes: { tokens } } };
    },
  },
  "aws:scheduler/scheduleGroup:ScheduleGroup": {
    passes: ["name", "tags"],
    async create(inputs, { scheduler }) {
      const answer = await scheduler.send(new CreateScheduleGroupCommand({ Name: inputs.name, Tags: tagList(inputs) }));
      return { id: inputs.name, outputs: { arn: present(answer.ScheduleGroupArn, "the group's ARN") } };
    },
  },
  "aws:scheduler/schedule:Schedule": {
    passes: ["name", "groupName", "description", "scheduleExpression", "flexibleTimeWindow", "target"],
    async create(inputs, { scheduler }) {
      const target = inputs.target as Inputs;
      const schedule: CreateScheduleCommandInput = {
        Name: inputs.name,
        GroupName: inputs.groupName,
        Description: inputs.description,
        ScheduleExpression: inputs.scheduleExpression,
        FlexibleTimeWindow: { Mode: inputs.flexibleTimeWindow.mode },
        Target: {
          Arn: target.arn,
          RoleArn: target.roleArn,
          Input: target.input,
          RetryPolicy: {
            MaximumRetryAttempts: target.retryPolicy.maximumRetryAttempts,
            MaximumEventAgeInSeconds: target.retryPolicy.maximumEventAgeInSeconds,
          },
        },
      };
      const answer = await scheduler.send(new CreateScheduleCommand(schedule));
      return { id: inputs.name, outputs: { arn: present(answer.ScheduleArn, "the schedule's ARN") } };
    },
  },
};

/** Attributes are text, and what was not asked for is not sent. */
function given(attributes: Record<string, unknown>): Record<string, string> {
  const asked = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(asked.map(([name, value]) => [name, String(value)]));
}

/** Nobody but AWS may put events of an `aws.` source, in an account and in the emulator alike: a test puts `emulated.…`. */
function heardFromATest(pattern: string): string {
  const wanted = JSON.parse(pattern) as { source: string[] };
  const emulated = wanted.source.map((source) => source.replace(/^aws\./, "emulated."));
  return JSON.stringify({ ...wanted, source: [...wanted.source, ...emulated] });
}
