//! `vpc_flow_logs`: every field of versions 2 to 10, named as AWS names it for Athena.

use super::columns::{bigint, integer, text};
use super::{Column, LogSource, Table, common_columns};

pub(super) fn table() -> Table {
    let mut columns = own_columns();
    columns.extend(common_columns());
    Table {
        name: "vpc_flow_logs",
        log_source: LogSource::VpcFlow,
        columns,
        doc: "network flows of VPC interfaces, one record per flow and capture window",
    }
}

fn own_columns() -> Vec<Column> {
    vec![
        integer("version", "version", "version of the record's format"),
        text("account_id", "account-id", "account that owns the interface"),
        text("interface_id", "interface-id", "the network interface"),
        text("srcaddr", "srcaddr", "source address, IPv4 or IPv6"),
        text("dstaddr", "dstaddr", "destination address, IPv4 or IPv6"),
        integer("srcport", "srcport", "source port"),
        integer("dstport", "dstport", "destination port"),
        integer("protocol", "protocol", "IANA protocol number: 6 TCP, 17 UDP, 1 ICMP"),
        bigint("packets", "packets", "packets in the flow"),
        bigint("bytes", "bytes", "bytes in the flow"),
        bigint("start", "start", "first packet of the capture window, Unix seconds"),
        bigint("end", "end", "last packet of the capture window, Unix seconds"),
        text("action", "action", "`ACCEPT` or `REJECT`"),
        text("log_status", "log-status", "`OK`, `NODATA` or `SKIPDATA`"),
        text("vpc_id", "vpc-id", "the VPC"),
        text("subnet_id", "subnet-id", "the subnet"),
        text("instance_id", "instance-id", "the instance, if it is ours"),
        integer("tcp_flags", "tcp-flags", "TCP flags seen, as a bit mask: 2 SYN, 18 SYN-ACK, 1 FIN, 4 RST"),
        text("type", "type", "`IPv4`, `IPv6` or `EFA`"),
        text("pkt_srcaddr", "pkt-srcaddr", "source address of the packet, before gateways"),
        text("pkt_dstaddr", "pkt-dstaddr", "destination address of the packet, before gateways"),
        text("region", "region", "the region"),
        text("az_id", "az-id", "the availability zone"),
        text("sublocation_type", "sublocation-type", "`wavelength`, `outpost` or `localzone`"),
        text("sublocation_id", "sublocation-id", "the sublocation"),
        text("pkt_src_aws_service", "pkt-src-aws-service", "AWS service the source address belongs to"),
        text("pkt_dst_aws_service", "pkt-dst-aws-service", "AWS service the destination address belongs to"),
        text("flow_direction", "flow-direction", "`ingress` or `egress`, seen from the interface"),
        integer("traffic_path", "traffic-path", "how egress traffic left: 8 an internet gateway …"),
        text("ecs_cluster_arn", "ecs-cluster-arn", "ECS cluster"),
        text("ecs_cluster_name", "ecs-cluster-name", "name of the ECS cluster"),
        text("ecs_container_instance_arn", "ecs-container-instance-arn", "ECS container instance"),
        text("ecs_container_instance_id", "ecs-container-instance-id", "id of the ECS container instance"),
        text("ecs_container_id", "ecs-container-id", "container"),
        text("ecs_second_container_id", "ecs-second-container-id", "second container of the task"),
        text("ecs_service_name", "ecs-service-name", "ECS service"),
        text("ecs_task_definition_arn", "ecs-task-definition-arn", "ECS task definition"),
        text("ecs_task_arn", "ecs-task-arn", "ECS task"),
        text("ecs_task_id", "ecs-task-id", "id of the ECS task"),
        text("reject_reason", "reject-reason", "`BPA` when block public access rejected the flow"),
        text("resource_id", "resource-id", "the resource of a regional NAT gateway flow"),
        text("encryption_status", "encryption-status", "whether the flow was encrypted in transit, as a code"),
    ]
}
