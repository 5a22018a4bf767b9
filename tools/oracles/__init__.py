"""What other tools say on seeded weights and frames: run in their own environments, compared with ours."""
