import { expect, test, vi } from 'vitest';
import { all, EXISTING, FULL, only, SMALL, sampleContext, synthesise } from './samples.ts';

const small = synthesise(SMALL);
const full = synthesise(FULL);
const existing = synthesise(EXISTING);
const sample = synthesise(sampleContext());

test('nothing is let in to the tasks', () => {
  for (const of of [small, full, existing, sample]) {
    expect(only(of, 'AWS::EC2::SecurityGroup', /^NetworkSecurityGroup/)).not.toHaveProperty(
      'SecurityGroupIngress',
    );
  }
});

test('a new VPC has two public subnets, no NAT gateway, and a free way to S3', () => {
  expect(
    all(small, 'AWS::EC2::Subnet').map(({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch),
  ).toEqual([false, false]);
  expect(all(small, 'AWS::EC2::NatGateway')).toEqual([]);
  expect(all(small, 'AWS::EC2::VPCEndpoint')).toEqual([
    expect.objectContaining({ VpcEndpointType: 'Gateway' }),
  ]);
  expect(all(small, 'AWS::Lambda::Function')).toEqual([]);
});

test('a new VPC without internet has endpoints for every service, for tasks only', () => {
  expect(all(full, 'AWS::EC2::InternetGateway')).toEqual([]);
  const doors = all(full, 'AWS::EC2::VPCEndpoint').filter(
    ({ VpcEndpointType }) => VpcEndpointType === 'Interface',
  );
  const services = doors.map(
    ({ ServiceName }) => JSON.stringify(ServiceName).match(/eu-central-1\.([a-z.]+)/)?.[1],
  );
  expect(services.toSorted()).toEqual([
    'ecr.api',
    'ecr.dkr',
    'logs',
    'monitoring',
    'secretsmanager',
  ]);
  const rules = all(full, 'AWS::EC2::SecurityGroupIngress').filter(
    ({ FromPort }) => FromPort === 443,
  );
  expect(rules).toEqual([
    expect.objectContaining({
      IpProtocol: 'tcp',
      ToPort: 443,
      SourceSecurityGroupId: {
        'Fn::GetAtt': [expect.stringMatching(/^NetworkSecurityGroup/), 'GroupId'],
      },
    }),
  ]);
  expect(only(full, 'AWS::EC2::SecurityGroup', /^NetworkEndpoint/)).not.toHaveProperty(
    'SecurityGroupIngress',
  );
});

test('an existing VPC is used as named, with endpoints in it if configured', () => {
  expect(all(existing, 'AWS::EC2::VPC')).toEqual([]);
  expect(all(existing, 'AWS::EC2::VPCEndpoint')).toHaveLength(6);
  for (const endpoint of all(existing, 'AWS::EC2::VPCEndpoint'))
    expect(endpoint.VpcId).toBe('vpc-0123456789abcdef0');
  const without = synthesise({
    ...EXISTING,
    network: {
      ...(EXISTING.network as object),
      s3GatewayEndpoint: false,
      interfaceEndpoints: false,
    },
  });
  expect(all(without, 'AWS::EC2::VPCEndpoint')).toEqual([]);
});

test('the databases let the tasks in, also the one that is restored to', () => {
  const rules = all(full, 'AWS::EC2::SecurityGroupIngress').filter(
    ({ FromPort }) => FromPort !== 443,
  );
  const source = { 'Fn::GetAtt': [expect.stringMatching(/^NetworkSecurityGroup/), 'GroupId'] };
  expect(rules).toEqual([
    expect.objectContaining({
      GroupId: 'sg-0123456789abcdef0',
      FromPort: 3306,
      ToPort: 3306,
      IpProtocol: 'tcp',
      SourceSecurityGroupId: source,
    }),
    expect.objectContaining({
      GroupId: 'sg-0123456789abcdef1',
      FromPort: 3307,
      ToPort: 3307,
      IpProtocol: 'tcp',
      SourceSecurityGroupId: source,
    }),
  ]);
});

test('a VPC is looked up where it is asked for by its id alone', () => {
  const context = {
    ...SMALL,
    network: {
      kind: 'lookup',
      vpcId: 'vpc-0123456789abcdef0',
      subnetIds: ['subnet-0123456789abcdef0'],
      s3GatewayEndpoint: false,
    },
  };
  // Until `cdk` has looked it up, a stand-in is there, of which validation warns.
  const silence = vi.spyOn(console, 'error').mockReturnValue();
  const { json } = synthesise(context);
  silence.mockRestore();
  const [schedule] = Object.values(json.Resources).filter(
    ({ Type }) => Type === 'AWS::Scheduler::Schedule',
  );
  expect(JSON.stringify(schedule)).toContain('"Subnets":["subnet-0123456789abcdef0"]');
});
