"""The one training loop and what it needs: batches, schedules, averages, run folders, several processes."""
