"""What surrounds processes and can fail: links between network namespaces and a small disk. Both need root."""

import os
import subprocess


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Link:
    """A namespace of one worker, joined to ours by a pair of virtual interfaces that can be taken down."""

    def __init__(self, number):
        self.space = f"sinewchaos{number}"
        self.outer, self.inner = f"sxo{number}", f"sxi{number}"
        self.host, self.guest = f"10.231.{number}.1", f"10.231.{number}.2"
        self.remove()
        run("ip", "netns", "add", self.space)
        run("ip", "link", "add", self.outer, "type", "veth", "peer", "name", self.inner)
        run("ip", "link", "set", self.inner, "netns", self.space)
        run("ip", "addr", "add", f"{self.host}/24", "dev", self.outer)
        run("ip", "link", "set", self.outer, "up")
        run("ip", "netns", "exec", self.space, "ip", "addr", "add", f"{self.guest}/24", "dev", self.inner)
        run("ip", "netns", "exec", self.space, "ip", "link", "set", self.inner, "up")
        run("ip", "netns", "exec", self.space, "ip", "link", "set", "lo", "up")

    @property
    def prefix(self):
        return ("ip", "netns", "exec", self.space)

    def cut(self):
        run("ip", "link", "set", self.outer, "down")

    def mend(self):
        run("ip", "link", "set", self.outer, "up")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.space], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", self.outer], stderr=subprocess.DEVNULL)


class SmallDisk:
    """A tmpfs that can be filled to the last byte."""

    def __init__(self, folder, mebibytes):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "sinew-chaos", folder)

    @property
    def ballast(self):
        return os.path.join(self.folder, "ballast")

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass

    def relieve(self):
        if os.path.exists(self.ballast):
            os.remove(self.ballast)

    def remove(self):
        subprocess.run(["umount", self.folder], stderr=subprocess.DEVNULL)
