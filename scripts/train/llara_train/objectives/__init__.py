"""Losses: functions of tensors, and the module whose forward pass gives the adaptation losses."""
