"""Uploads: presigned multipart straight to S3, resumable part by part; nothing large passes through the API."""
