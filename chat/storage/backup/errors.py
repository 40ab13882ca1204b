from chat.storage.transfer.errors import TransferError


class BackupError(TransferError):
    """A backup can't be made, isn't right, or can't be restored. For the operator at the terminal."""
