"""The AWS account: moto's EC2, IAM and STS in this process, with those of its answers mended that differ from AWS."""
