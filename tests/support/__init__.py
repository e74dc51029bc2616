"""What the Molecule scenarios share: the platform from outside, playbook runs, and traffic."""
