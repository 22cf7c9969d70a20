"""What each command of the command line does; one room a command, imported only when it is asked for."""
