/** What is measured side by side, in the order of tables and plots. */
export const ALTERNATIVES = [
  { name: 'mydumper-alone', title: 'floor A: mydumper alone, unlimited disk' },
  { name: 'upload-alone', title: 'floor B: upload of ready files alone' },
  { name: 'ours-none', title: 'ours, COMPRESS=none' },
  { name: 'ours-zstd', title: 'ours, COMPRESS=zstd' },
  { name: 'stop-upload-resume', title: 'stop, upload, resume' },
  { name: 'mydumper-then-aws', title: 'mydumper, then aws s3 cp --recursive' },
  { name: 'mydumper-then-rclone', title: 'mydumper, then rclone copy' },
  { name: 'mysqldump-zstd-aws', title: 'mysqldump | zstd | aws s3 cp -' },
  { name: 'restore-ours', title: 'restore, ours' },
  { name: 'restore-download-myloader', title: 'restore: download all, then myloader' },
] as const;

export type AlternativeName = (typeof ALTERNATIVES)[number]['name'];

export function titleOf(name: AlternativeName): string {
  return ALTERNATIVES.find((alternative) => alternative.name === name)?.title ?? name;
}
