import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Subnet,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { NetworkSettings } from './config-network.ts';
import type { SourceSettings } from './config-source.ts';
import { acknowledge } from './nag.ts';

const SUBNET_MASK = 28;
const ZONES = 2;

/** What a task talks to besides the database and S3, which has a gateway of its own. */
const INTERFACE_SERVICES = {
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Metrics: InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
} as const;

export type BackupNetworkProps = {
  readonly settings: NetworkSettings;
  readonly sources: readonly SourceSettings[];
};

/**
 * The network of the tasks, their way out and their access to the databases. Nothing may connect to
 * them.
 */
export class BackupNetwork extends Construct {
  readonly vpc: IVpc;
  readonly subnets: readonly ISubnet[];
  readonly assignPublicIp: boolean;
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, { settings, sources }: BackupNetworkProps) {
    super(scope, id);
    const { vpc, subnets } = settings.kind === 'new' ? this.create(settings) : this.find(settings);
    this.vpc = vpc;
    this.subnets = subnets;
    this.assignPublicIp =
      settings.kind === 'new' ? settings.reach === 'publicIp' : settings.assignPublicIp;
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Database backups: out to databases and AWS, nothing in',
      allowAllOutbound: true,
    });
    this.addEndpoints(settings);
    this.openDatabases(sources);
  }

  private create({ cidr, reach }: Extract<NetworkSettings, { kind: 'new' }>): {
    vpc: IVpc;
    subnets: readonly ISubnet[];
  } {
    const isPublic = reach === 'publicIp';
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(cidr),
      maxAzs: ZONES,
      natGateways: 0,
      // Its custom resource would be the only Lambda function here, and the default group is
      // unused.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        {
          name: 'Tasks',
          cidrMask: SUBNET_MASK,
          subnetType: isPublic ? SubnetType.PUBLIC : SubnetType.PRIVATE_ISOLATED,
          ...(isPublic && { mapPublicIpOnLaunch: false }),
        },
      ],
    });
    acknowledge(
      vpc,
      'AwsSolutions-VPC7',
      'Nothing but backup tasks runs in this VPC, and it accepts no connections; flow logs ' +
        'would cost more than they show. Switch them on by hand where a policy asks for them.',
    );
    // The library's own types do not agree under exactOptionalPropertyTypes.
    return { vpc: vpc as IVpc, subnets: isPublic ? vpc.publicSubnets : vpc.isolatedSubnets };
  }

  private find(settings: Exclude<NetworkSettings, { kind: 'new' }>): {
    vpc: IVpc;
    subnets: readonly ISubnet[];
  } {
    if (settings.kind === 'lookup') {
      const vpc = Vpc.fromLookup(this, 'Vpc', { vpcId: settings.vpcId });
      const known = [...vpc.privateSubnets, ...vpc.publicSubnets, ...vpc.isolatedSubnets];
      const subnets = settings.subnetIds.map(
        (subnetId) =>
          known.find((subnet) => subnet.subnetId === subnetId) ??
          Subnet.fromSubnetId(this, subnetId, subnetId),
      );
      return { vpc, subnets };
    }
    const { vpcId, availabilityZones, subnetIds, routeTableIds } = settings;
    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId,
      availabilityZones,
      privateSubnetIds: subnetIds,
      ...(routeTableIds.length > 0 && { privateSubnetRouteTableIds: routeTableIds }),
    });
    return { vpc, subnets: vpc.privateSubnets };
  }

  private addEndpoints(settings: NetworkSettings): void {
    const { subnets } = this;
    if (settings.kind === 'new' || settings.s3GatewayEndpoint) {
      this.vpc.addGatewayEndpoint('S3', {
        service: GatewayVpcEndpointAwsService.S3,
        subnets: [{ subnets: [...subnets] }],
      });
    }
    if (settings.kind === 'new' ? settings.reach === 'publicIp' : !settings.interfaceEndpoints)
      return;
    const doors = new SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: this.vpc,
      description: 'Interface endpoints: in from backup tasks only',
      allowAllOutbound: false,
    });
    doors.addIngressRule(this.securityGroup, Port.tcp(443), 'Backup tasks');
    for (const [name, service] of Object.entries(INTERFACE_SERVICES)) {
      this.vpc.addInterfaceEndpoint(name, {
        service,
        subnets: { subnets: [...subnets] },
        securityGroups: [doors],
        open: false,
      });
    }
  }

  private openDatabases(sources: readonly SourceSettings[]): void {
    const targets = sources.flatMap((source) => [
      source,
      ...(source.restore === undefined ? [] : [source.restore]),
    ]);
    const opened = new Set<string>();
    for (const { securityGroupId, port } of targets) {
      const rule = `${securityGroupId}:${port}`;
      if (securityGroupId === undefined || opened.has(rule)) continue;
      opened.add(rule);
      SecurityGroup.fromSecurityGroupId(
        this,
        `Database-${rule.replace(':', '-')}`,
        securityGroupId,
        {
          mutable: true,
        },
      ).addIngressRule(
        Peer.securityGroupId(this.securityGroup.securityGroupId),
        Port.tcp(port),
        'Database backups',
      );
    }
  }
}
