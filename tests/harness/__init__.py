"""What the suite shares: real engines, small platforms, films made by script."""
