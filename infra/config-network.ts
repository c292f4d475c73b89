import { z } from 'zod';

const subnetId = z.string().regex(/^subnet-[0-9a-f]{8,17}$/, {
  error: 'must be a subnet id such as subnet-0123456789abcdef0',
});
const vpcId = z
  .string()
  .regex(/^vpc-[0-9a-f]{8,17}$/, { error: 'must be a VPC id such as vpc-0123456789abcdef0' });
const routeTableId = z.string().regex(/^rtb-[0-9a-f]{8,17}$/, {
  error: 'must be a route table id such as rtb-0123456789abcdef0',
});

const shared = {
  /**
   * A free route from the subnets to S3. Switch it off where the VPC already has one: two cannot
   * share a route table.
   */
  s3GatewayEndpoint: z.boolean().default(true),
  /**
   * Interface endpoints for ECR, Secrets Manager, CloudWatch and CloudWatch Logs, for subnets
   * without internet access. They cost by the hour.
   */
  interfaceEndpoints: z.boolean().default(false),
};

export const networkSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('new'),
      cidr: z
        .string()
        .regex(/^(\d{1,3}\.){3}\d{1,3}\/(1[6-9]|2[0-6])$/, {
          error: 'must be a range such as 10.42.0.0/24, from /16 to /26',
        })
        .default('10.42.0.0/24'),
      /**
       * `publicIp`: public subnets, an address only while a task runs, no ingress. `endpoints`: no
       * internet access.
       */
      reach: z
        .enum(['publicIp', 'endpoints'], { error: 'must be publicIp or endpoints' })
        .default('publicIp'),
    }),
    z.strictObject({
      kind: z.literal('lookup'),
      vpcId,
      subnetIds: z.array(subnetId).min(1, { error: 'must name at least one subnet' }),
      assignPublicIp: z.boolean().default(false),
      ...shared,
    }),
    z
      .strictObject({
        kind: z.literal('attributes'),
        vpcId,
        availabilityZones: z
          .array(z.string())
          .min(1, { error: 'must name the zone of each subnet' }),
        subnetIds: z.array(subnetId).min(1, { error: 'must name at least one subnet' }),
        routeTableIds: z.array(routeTableId).default([]),
        assignPublicIp: z.boolean().default(false),
        ...shared,
      })
      .refine(({ availabilityZones, subnetIds }) => availabilityZones.length === subnetIds.length, {
        path: ['availabilityZones'],
        error: 'must name one zone for each subnet',
      })
      .refine(
        ({ s3GatewayEndpoint, routeTableIds, subnetIds }) =>
          !s3GatewayEndpoint || routeTableIds.length === subnetIds.length,
        {
          path: ['routeTableIds'],
          error:
            'must name the route table of each subnet, which the S3 gateway endpoint goes ' +
            'into; or set s3GatewayEndpoint to false',
        },
      ),
  ],
  { error: 'must have kind "new", "lookup" or "attributes"' },
);
export type NetworkSettings = Readonly<z.infer<typeof networkSchema>>;
