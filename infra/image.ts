import { fileURLToPath } from 'node:url';
import { Annotations } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage, CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { ImageSettings } from './config-image.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The repository's own image, which `cdk deploy` builds. .dockerignore decides which files go into
 * it.
 */
export function imageOf(scope: Construct, settings: ImageSettings): ContainerImage {
  const { architecture, mydumper, version, sha256, rdsCa, base } = settings;
  if (mydumper === 'upstream' && sha256 === '') {
    Annotations.of(scope).addWarningV2(
      'mydumper-fargate:no-checksum',
      'image.sha256 is empty: the build of the image stops and prints the checksum of ' +
        `mydumper ${version} for ${architecture}; compare it with the release page and put it ` +
        'into cdk.json',
    );
  }
  return ContainerImage.fromAsset(ROOT, {
    file: 'Dockerfile',
    platform: architecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    buildArgs: {
      MYDUMPER: mydumper,
      ...(mydumper === 'upstream' && { MYDUMPER_VERSION: version, MYDUMPER_SHA256: sha256 }),
      RDS_CA: rdsCa ? 'include' : 'none',
      ...(base !== undefined && { BASE_IMAGE: base }),
    },
  });
}

export function cpuArchitectureOf({ architecture }: ImageSettings): CpuArchitecture {
  return architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64;
}
