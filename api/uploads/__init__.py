"""Uploads: presigned multipart straight to S3, resumable part by part. No film's bytes pass through the API."""
