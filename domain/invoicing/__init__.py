"""What an invoice charges: its lines, its totals, and what a credit of it gives back."""
