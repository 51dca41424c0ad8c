"""What an able engineer would compare with: the same rows, queries and pages, nothing of ours around them."""
