"""Sweeps of the biclustering sampler beside the same sweeps in vectorised NumPy.

No maintained package does this, so the peer is written here: the same steps in the same order, with NumPy's batched linear
algebra, einsum, and polyagamma's compiled sampler for the Pólya-Gamma variables. Our side settles a chain first and leaves
its state in the folder; both sides then take up that state. What a sweep computes before it draws (the mean of the paths
given pseudo-data, the densities of the steps, Laplace's marginal likelihoods) must be equal; the log likelihoods reached
must agree as those of two chains do.
"""

from __future__ import annotations

from pathlib import Path

from common import Comparison, Peer

NOISE = 0.01
MOST = 30.0


def inputs(case: dict, folder: Path) -> None:
    """Counts of three clusters whose latents switch between rest and rotation, as in the released simulation."""
    import numpy as np

    rng = np.random.default_rng(case.get("seed", 0))
    per, bins, clusters, rows = case["per_cluster"], case["bins"], 3, 3
    state = np.repeat(np.arange(4 * bins // 50 + 1) % 2, 50)[: 2 * bins]
    paths = np.zeros((2 * bins, clusters * rows))
    for c in range(clusters):
        frame = np.linalg.qr(rng.normal(size=(rows, rows)))[0]
        turn = np.eye(rows)
        a = np.pi / 20
        turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        step = [0.01 * np.eye(rows), 1.01 * frame @ turn @ frame.T]
        x = np.zeros(rows)
        for t in range(2 * bins):
            x = step[state[t]] @ x + 0.1 * rng.normal(size=rows)
            paths[t, c * rows : (c + 1) * rows] = x
    paths = paths[bins:]
    counts = []
    for c in range(clusters):
        own = paths[:, c * rows : (c + 1) * rows]
        for _ in range(per):
            eta = 0.5 * rng.normal() + own[:, 0] + own[:, 1:] @ (0.5 * rng.normal(size=2))
            counts.append(rng.poisson(rng.gamma(10.0, np.exp(eta) / 10.0)))
    np.savetxt(folder / "counts.txt", np.array(counts), fmt="%d")


def ours(case: dict, folder: Path) -> list[str]:
    return ["peer_biclustering", str(folder), str(case["settle"]), str(case["sweeps"])]


def load(folder: Path) -> dict:
    """The state our side has settled in: one array a line, its name, its shape, its values."""
    import numpy as np

    state = {}
    with open(folder / "state.txt") as file:
        for line in file:
            name, shape, values = line.rstrip("\n").split("\t")
            size = [int(n) for n in shape.split(",")]
            state[name] = np.array(values.split(), dtype=float).reshape(size)
    for name in ("clusters", "states"):
        state[name] = state[name].astype(int)
    return state


class Sampler:
    """One chain: the state and a sweep."""

    def __init__(self, y, state, seed):
        import numpy as np

        self.np = np
        self.rng = np.random.default_rng(seed)
        self.y = y
        self.n, self.bins = y.shape
        self.z = state["clusters"].copy()
        self.x = state["paths"].copy()  # [bin, k]
        self.delta = state["offsets"].copy()
        self.c = state["loadings"].copy()
        self.r = state["dispersions"].copy()
        self.s = state["states"].copy()
        self.beta, self.pi = state["weights"].copy(), state["transitions"].copy()
        self.a, self.b, self.q = state["a"].copy(), state["b"].copy(), state["q"].copy()
        self.rows = self.c.shape[1] + 1
        self.ln_v = state["ln_v"]
        self.reference = [self.x[:, g * self.rows + 1 : (g + 1) * self.rows].copy() for g in range(self.k // self.rows)]
        self.labels = self.z.copy()
        self.number = 0

    @property
    def k(self):
        return self.x.shape[1]

    def blocks(self):
        """[cluster, bin, row]"""
        return self.x.reshape(self.bins, -1, self.rows).transpose(1, 0, 2)

    def log_rates(self):
        np = self.np
        own = self.blocks()[self.z]  # [neuron, bin, row]
        eta = self.delta[:, None] + own[:, :, 0] + np.einsum("ntj,nj->nt", own[:, :, 1:], self.c)
        return np.clip(eta, -MOST, MOST)

    def log_likelihood(self):
        from scipy.special import gammaln

        np, eta, r = self.np, self.log_rates(), self.r[:, None]
        full = gammaln(self.y + r) - gammaln(r) - gammaln(self.y + 1) + r * np.log(r)
        return float((full + self.y * eta - (self.y + r) * np.log(r + np.exp(eta))).sum())

    # Step 1.

    def evidence(self, omega, kappa):
        np, rows = self.np, self.rows
        design = np.hstack([np.ones((self.n, 1)), self.c])
        pseudo = kappa + omega * (np.log(self.r) - self.delta)[:, None]
        j = np.zeros((self.bins, self.k, self.k))
        h = np.zeros((self.bins, self.k))
        for g in range(self.k // rows):
            m = self.z == g
            d, at = design[m], slice(g * rows, (g + 1) * rows)
            outer = (d[:, :, None] * d[:, None, :]).reshape(-1, rows * rows)
            j[:, at, at] = (omega[m].T @ outer).reshape(-1, rows, rows)
            h[:, at] = pseudo[m].T @ d
        return j, h

    def information(self):
        """What the dynamics of each state contribute to the precision of the paths."""
        np, k = self.np, self.k
        p = np.linalg.inv(self.q)
        p = 0.5 * (p + p.transpose(0, 2, 1))
        coupling = p @ self.a
        back = self.a.transpose(0, 2, 1) @ coupling
        push = np.einsum("sij,sj->si", p, self.b)
        pull = np.einsum("sij,si->sj", self.a, push)
        constant = 0.5 * np.linalg.slogdet(p)[1] - 0.5 * (self.b * push).sum(1)
        return p, coupling, back, push, pull, constant

    def eliminate(self, t, info, j, h, space):
        """Integrates out the bins before t; returns what the bin adds to the log evidence."""
        np, (p, coupling, back, push, pull, constant) = self.np, info
        factors, links, u = space
        d, rhs = j[t].copy(), h[t].copy()
        if t + 1 < self.bins:
            after = self.s[t + 1]
            d += back[after]
            rhs -= pull[after]
        term = 0.0
        if t == 0:
            d += np.eye(self.k)
        else:
            now = self.s[t]
            d += p[now]
            rhs += push[now]
            w = np.linalg.solve(factors[t - 1], -coupling[now].T)
            links[t] = w
            d -= w.T @ w
            rhs -= w.T @ u[t - 1]
            term = constant[now]
        factors[t] = np.linalg.cholesky(d)
        u[t] = np.linalg.solve(factors[t], rhs)
        return term + 0.5 * u[t] @ u[t] - np.log(np.diagonal(factors[t])).sum()

    def shift(self, info, j, h, space, terms):
        """Moves one boundary between states with the paths integrated out."""
        np, rng = self.np, self.rng
        edges = np.flatnonzero(self.s[2:] != self.s[1:-1]) + 2
        if not edges.size:
            return
        which = rng.integers(edges.size)
        at, length, later = edges[which], rng.integers(1, 13), rng.random() < 0.5
        low, high = (at, at + length) if later else (at - length, at)
        first = 1 if which == 0 else edges[which - 1]
        last = edges[which + 1] if which + 1 < edges.size else self.bins
        if low <= first or high >= last:
            return
        was, new = self.s[low], self.s[at - 1] if later else self.s[at]
        change = length * (np.log(self.pi[new, new]) - np.log(self.pi[was, was]))
        self.s[low:high] = new
        undo = []
        for t in range(low - 1, self.bins):
            undo.append([x[t].copy() for x in space] + [terms[t]])
            term = self.eliminate(t, info, j, h, space)
            change += term - terms[t]
            terms[t] = term
            near = [np.all(np.abs(x[t] - old) <= 1e-9 * (1 + np.abs(old))) for x, old in zip(space, undo[-1])]
            if t >= high and near[0] and near[2]:
                break
        if not change > np.log(rng.random()):
            self.s[low:high] = was
            for t, old in enumerate(undo, low - 1):
                for x, kept in zip(space, old):
                    x[t] = kept
                terms[t] = old[-1]

    def draw_paths(self, j, h, noise, moves=0):
        """Block Cholesky of the precision of the stacked path, forwards; a solve backwards."""
        np, k = self.np, self.k
        info = self.information()
        space = np.empty((self.bins, k, k)), np.empty((self.bins, k, k)), np.empty((self.bins, k))
        terms = [self.eliminate(t, info, j, h, space) for t in range(self.bins)]
        for _ in range(moves):
            self.shift(info, j, h, space, terms)
        factors, links, u = space
        if noise:
            u += self.rng.normal(size=u.shape)
        x = np.empty_like(u)
        x[-1] = np.linalg.solve(factors[-1].T, u[-1])
        for t in range(self.bins - 2, -1, -1):
            x[t] = np.linalg.solve(factors[t].T, u[t] - links[t + 1] @ x[t + 1])
        return x

    def left_out(self):
        """[neuron, bin, row]: the path of each neuron's cluster drawn as if the neuron were not there, all at once."""
        np, rows = self.np, self.rows
        omega, kappa = self.augment(self.log_rates())
        j, h = self.evidence(omega, kappa)
        p, coupling, back, push, pull, _ = self.information()
        into, x = self.s[1:], self.x
        n_clusters = self.k // rows
        d = np.empty((n_clusters, self.bins, rows, rows))
        off = np.zeros((n_clusters, self.bins, rows, rows))
        rhs = np.empty((n_clusters, self.bins, rows))
        for g in range(n_clusters):
            at = np.arange(g * rows, (g + 1) * rows)
            rest = np.setdiff1d(np.arange(self.k), at)
            cut, other = np.ix_(range(len(p)), at, at), np.ix_(range(len(p)), at, rest)
            d[g] = j[:, at[:, None], at]
            d[g, 0] += np.eye(rows)
            d[g, 1:] += p[cut][into]
            d[g, :-1] += back[cut][into]
            off[g, 1:] = -coupling[cut][into]
            r = h[:, at].copy()
            r[1:] += push[:, at][into] - np.einsum("tij,tj->ti", p[other][into], x[1:, rest])
            r[1:] += np.einsum("tij,tj->ti", coupling[other][into], x[:-1, rest])
            r[:-1] -= pull[:, at][into] + np.einsum("tij,tj->ti", back[other][into], x[:-1, rest])
            turned = coupling.transpose(0, 2, 1)[other]
            r[:-1] += np.einsum("tij,tj->ti", turned[into], x[1:, rest])
            rhs[g] = r
        design = np.hstack([np.ones((self.n, 1)), self.c])
        pseudo = kappa + omega * (np.log(self.r) - self.delta)[:, None]
        outer = design[:, :, None] * design[:, None, :]
        d = d[self.z] - omega[:, :, None, None] * outer[:, None]
        rhs = rhs[self.z] - pseudo[:, :, None] * design[:, None, :]
        off = off[self.z]
        factors, links, u = np.empty_like(d), np.empty_like(d), np.empty_like(rhs)
        factors[:, 0] = np.linalg.cholesky(d[:, 0])
        u[:, 0] = np.linalg.solve(factors[:, 0], rhs[:, 0, :, None])[:, :, 0]
        for t in range(1, self.bins):
            w = np.linalg.solve(factors[:, t - 1], off[:, t].transpose(0, 2, 1))
            wt = w.transpose(0, 2, 1)
            links[:, t] = w
            factors[:, t] = np.linalg.cholesky(d[:, t] - wt @ w)
            right = rhs[:, t] - (wt @ u[:, t - 1, :, None])[:, :, 0]
            u[:, t] = np.linalg.solve(factors[:, t], right[:, :, None])[:, :, 0]
        u += self.rng.normal(size=u.shape)
        out = np.empty_like(u)
        turned = factors.transpose(0, 1, 3, 2)
        out[:, -1] = np.linalg.solve(turned[:, -1], u[:, -1, :, None])[:, :, 0]
        for t in range(self.bins - 2, -1, -1):
            right = u[:, t] - (links[:, t + 1] @ out[:, t + 1, :, None])[:, :, 0]
            out[:, t] = np.linalg.solve(turned[:, t], right[:, :, None])[:, :, 0]
        return out

    def augment(self, eta):
        from polyagamma import random_polyagamma

        r = self.r[:, None]
        omega = random_polyagamma(self.y + r, eta - self.np.log(r), random_state=self.rng)
        return omega, 0.5 * (self.y - r)

    # Step 2.

    def step_densities(self):
        np, k = self.np, self.k
        factors = np.linalg.cholesky(self.q)
        moved = np.einsum("sij,tj->sti", self.a, self.x[:-1]) + self.b[:, None, :]
        residual = (self.x[1:][None] - moved).transpose(0, 2, 1)
        z = np.linalg.solve(factors, residual)
        half = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1)
        return (-0.5 * (z**2).sum(1) - half[:, None] - 0.5 * k * np.log(2 * np.pi)).T

    def tables(self, counts, weights):
        """Tables of a Chinese restaurant for each pair of a count and a weight."""
        np = self.np
        flat, weight = counts.ravel().astype(int), np.broadcast_to(weights, counts.shape).ravel()
        owner = np.repeat(np.arange(flat.size), flat)
        guest = np.arange(flat.sum()) - np.repeat(np.cumsum(flat) - flat, flat)
        opened = self.rng.random(owner.size) * (guest + weight[owner]) < weight[owner]
        return np.bincount(owner[opened], minlength=flat.size).reshape(counts.shape)

    def draw_states(self):
        np, l = self.np, self.beta.size
        alpha, gamma, kappa = 5.0, 5.0, 10.0
        counts = np.zeros((l, l))
        np.add.at(counts, (self.s[1:-1], self.s[2:]), 1)
        weights = alpha * self.beta + kappa * np.eye(l)
        m = self.tables(counts, weights)
        own = np.diagonal(m).copy()
        m[np.arange(l), np.arange(l)] -= self.rng.binomial(own, kappa / (kappa + alpha * self.beta))
        self.beta = np.maximum(self.rng.dirichlet(gamma / l + m.sum(0)), 1e-300)
        weights = alpha * self.beta + kappa * np.eye(l) + counts
        self.pi = np.array([self.rng.dirichlet(w) for w in weights])
        ln = self.step_densities()
        like = np.exp(ln - ln.max(1, keepdims=True))
        forward = np.empty_like(like)
        f = like[0] / l
        forward[0] = f / f.sum()
        for t in range(1, len(like)):
            f = like[t] * (forward[t - 1] @ self.pi)
            forward[t] = f / f.sum()
        u = self.rng.random(len(like))
        s = np.empty(len(like), dtype=int)
        w = forward[-1]
        for t in range(len(like) - 1, -1, -1):
            if t < len(like) - 1:
                w = forward[t] * self.pi[:, s[t + 1]]
            total = np.cumsum(w)
            s[t] = min(np.searchsorted(total, u[t] * total[-1], side="right"), l - 1)
        self.s[1:] = s
        self.s[0] = s[0]

    def draw_dynamics(self):
        np, k, rng = self.np, self.k, self.rng
        z = np.hstack([self.x, np.ones((self.bins, 1))])[:-1]
        for s in range(self.beta.size):
            m = self.s[1:] == s
            zs, ys = z[m], self.x[1:][m]
            kn = zs.T @ zs + np.eye(k + 1)
            cross = ys.T @ zs
            cross[:, :k] += np.eye(k)
            mean = np.linalg.solve(kn, cross.T).T
            scale = ys.T @ ys + (1 + NOISE) * np.eye(k) - mean @ cross.T
            l = np.linalg.cholesky(0.5 * (scale + scale.T))
            bartlett = np.tril(rng.normal(size=(k, k)), -1)
            bartlett[np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(k + 2 + m.sum() - np.arange(k)))
            root = np.linalg.solve(bartlett, l.T).T
            columns = np.linalg.cholesky(kn)
            full = mean + np.linalg.solve(columns.T, rng.normal(size=(k + 1, k)) @ root.T).T
            self.a[s], self.b[s], self.q[s] = full[:, :k], full[:, k], root @ root.T

    # Steps 3 and 4.

    def draw_neurons(self):
        np, rng, rows = self.np, self.rng, self.rows
        omega, kappa = self.augment(self.log_rates())
        own = self.blocks()[self.z].copy()
        mu = own[:, :, 0].copy()
        own[:, :, 0] = 1.0
        precision = np.einsum("nt,nta,ntb->nab", omega, own, own, optimize=True) + np.eye(rows)
        right = np.einsum("nta,nt->na", own, kappa + omega * (np.log(self.r)[:, None] - mu))
        factors = np.linalg.cholesky(precision)
        u = np.linalg.solve(factors, right[:, :, None]) + rng.normal(size=(self.n, rows, 1))
        draw = np.linalg.solve(factors.transpose(0, 2, 1), u)[:, :, 0]
        self.delta, self.c = draw[:, 0], draw[:, 1:]
        rate = np.exp(self.log_rates())
        tables = self.tables(self.y, self.r[:, None]).sum(1)

        def look(r):
            ln = np.log(r[:, None] + rate)
            ratio = np.log(r)[:, None] - ln
            return 1 - ratio.sum(1), tables * np.log(r) - r + (r[:, None] * ratio - self.y * ln).sum(1)

        (speed, ln_p), shape = look(self.r), 1.0 + tables
        new = rng.gamma(shape, 1.0 / speed)
        new_speed, new_ln_p = look(new)

        def ln_q(to, rate):
            return shape * np.log(rate) + tables * np.log(to) - rate * to

        ratio = new_ln_p - ln_p + ln_q(self.r, new_speed) - ln_q(new, speed)
        self.r = np.where(ratio > np.log(rng.random(self.n)), new, self.r)

    # Step 5.

    def project(self):
        np, rows = self.np, self.rows
        turn = np.eye(self.k)
        shift = self.x.mean(0)
        self.x -= shift
        design = np.hstack([np.ones((self.n, 1)), self.c])
        self.delta = self.delta + (design * shift.reshape(-1, rows)[self.z]).sum(1)
        for g in range(self.k // rows):
            at = slice(g * rows + 1, (g + 1) * rows)
            u, sing, vt = np.linalg.svd(self.x[:, at], full_matrices=False)
            us, ref = u * sing, self.reference[g] if g < len(self.reference) else None
            if ref is not None:
                free, order = list(range(rows - 1)), []
                for a in range(rows - 1):
                    pick = min(free, key=lambda b: (us[:, b] ** 2).sum() - 2 * abs(ref[:, a] @ us[:, b]))
                    free.remove(pick)
                    order.append(pick)
                sign = np.where([ref[:, a] @ us[:, b] < 0 for a, b in enumerate(order)], -1.0, 1.0)
                vt = sign[:, None] * vt[order]
            m = self.z == g
            self.x[:, at] = self.x[:, at] @ vt.T
            self.c[m] = self.c[m] @ vt.T
            turn[at, at] = vt
        self.b = (self.b + self.a @ shift - shift) @ turn.T
        self.a = turn @ self.a @ turn.T
        self.q = turn @ self.q @ turn.T

    # Step 6.

    def laplace(self, path, scaled, start=None):
        """Marginal likelihoods of neurons on one path each ([neuron or 1, bin, row]) by Fisher scoring and then Newton, all at once."""
        np, p, y, r = self.np, self.rows - 1, self.y, self.r[:, None]
        z = np.broadcast_to(scaled, (self.n, self.bins, p))
        base = self.delta[:, None] + path[:, :, 0]
        mode = np.zeros((self.n, p)) if start is None else start.copy()
        active, near = np.arange(self.n), np.zeros(self.n, dtype=bool)
        for _ in range(30):
            za, ra, ya = z[active], r[active], y[active]
            eta = np.clip(base[active] + np.einsum("ntj,nj->nt", za, mode[active]), -MOST, MOST)
            rate = np.exp(eta)
            share = ra / (ra + rate)
            g = np.einsum("nt,ntj->nj", (ya - rate) * share, za) - mode[active]
            w = rate * share * np.where(near[active][:, None], (ya + ra) / (ra + rate), 1.0)
            h = np.einsum("nt,nta,ntb->nab", w, za, za, optimize=True) + np.eye(p)
            step = np.linalg.solve(h, g[:, :, None])[:, :, 0]
            size = np.sqrt((step**2).sum(1))
            mode[active] += step * np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))[:, None]
            near[active] = size <= 0.5
            active = active[size >= 3e-3]
            if not active.size:
                break
        eta = np.clip(base + np.einsum("ntj,nj->nt", z, mode), -MOST, MOST)
        rate = np.exp(eta)
        w = rate * r * (y + r) / (r + rate) ** 2
        h = np.einsum("nt,nta,ntb->nab", w, z, z, optimize=True) + np.eye(p)
        ll = (y * eta - (y + r) * np.log(r + rate)).sum(1)
        factors = np.linalg.cholesky(h)
        half = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1)
        return ll - 0.5 * (mode**2).sum(1) - half, mode, factors

    def scales(self, path):
        """[path, row]: factors that give latents the variance 1."""
        np = self.np
        norm = np.sqrt((path[:, :, 1:] ** 2).sum(1))
        return np.where(norm > 0, np.sqrt(self.bins) / np.where(norm > 0, norm, 1.0), 1.0)

    def new_paths(self):
        np, rng, rows = self.np, self.rng, self.rows
        if self.number % 5 == 0:
            from scipy.interpolate import CubicSpline

            grid, path = np.linspace(0, 1, self.bins), np.empty((self.n, self.bins, rows))
            for i in range(self.n):
                for row in range(rows):
                    n = rng.integers(10, 36)
                    spline = CubicSpline(np.linspace(0, 1, n), rng.uniform(-0.2, 0.2, n), bc_type="natural")
                    path[i, :, row] = spline(grid)
        else:
            from scipy.signal import lfilter

            noise = 0.1 * rng.normal(size=(self.n, self.bins, rows))
            noise[:, 0] /= np.sqrt(1 - 0.95**2)
            path = lfilter([1.0], [1.0, -0.95], noise, axis=1)
        return path - path.mean(1, keepdims=True)

    def assign(self):
        np, rng, rows = self.np, self.rng, self.rows
        paths = [b[None] for b in self.blocks().copy()]
        scale = [self.scales(p) for p in paths]
        fits = [self.laplace(path, path[:, :, 1:] * s[:, None, :]) for path, s in zip(paths, scale)]
        # Of its own cluster a neuron sees a path drawn without it.
        left = self.left_out()
        left_scale = self.scales(left)
        own = self.laplace(left, left[:, :, 1:] * left_scale[:, None, :], self.c / left_scale)
        for g in range(len(paths)):
            m = self.z == g
            for whole, part in zip(fits[g], own):
                whole[m] = part[m]
        fresh = self.new_paths()
        fresh_scale = self.scales(fresh)
        fresh_fit = self.laplace(fresh, fresh[:, :, 1:] * fresh_scale[:, None, :])
        sizes = list(np.bincount(self.z, minlength=len(paths)))
        old, born = len(paths), []
        for i in range(self.n):
            was = self.z[i]
            sizes[was] -= 1
            alone = sizes[was] == 0
            opened = sum(s > 0 for s in sizes)
            ln_open = self.ln_v[opened] - self.ln_v[opened - 1] if opened else 0.0
            weights = []
            for g, size in enumerate(sizes):
                prior = np.log(size + 1.0) if size else (ln_open if g == was else -np.inf)
                weights.append(prior + fits[g][0][i])
            if not alone and opened < 10:
                weights.append(ln_open + fresh_fit[0][i])
            w = np.array(weights)
            w = np.cumsum(np.exp(w - w.max()))
            g = int(np.searchsorted(w, rng.random() * w[-1], side="right"))
            if g == len(sizes):
                paths.append(fresh[i : i + 1])
                scale.append(fresh_scale[i : i + 1])
                fits.append(self.laplace(paths[-1], paths[-1][:, :, 1:] * scale[-1][:, None, :]))
                sizes.append(0)
                born.append(g)
            sizes[g] += 1
            self.z[i] = g
            if g != was:
                noise = np.linalg.solve(fits[g][2][i].T, rng.normal(size=rows - 1))
                self.c[i] = (fits[g][1][i] + noise) * scale[g][0]
        kept = [g for g, s in enumerate(sizes) if s]
        self.z = np.array([kept.index(g) for g in self.z])
        self.x = np.concatenate([paths[g][0] for g in kept], axis=1)
        self.reference = [self.reference[g] if g < len(self.reference) else paths[g][0][:, 1:] for g in kept]
        k, from_old = self.k, [(n, g) for n, g in enumerate(kept) if g < old]
        a, b = np.tile(np.eye(k), (self.beta.size, 1, 1)), np.zeros((self.beta.size, k))
        q = NOISE * np.tile(np.eye(k), (self.beta.size, 1, 1))
        new = np.concatenate([np.arange(n * rows, (n + 1) * rows) for n, _ in from_old] or [[]]).astype(int)
        was = np.concatenate([np.arange(g * rows, (g + 1) * rows) for _, g in from_old] or [[]]).astype(int)
        a[:, new[:, None], new] = self.a[:, was[:, None], was]
        q[:, new[:, None], new] = self.q[:, was[:, None], was]
        b[:, new] = self.b[:, was]
        self.a, self.b, self.q = a, b, q
        return [n for n, g in enumerate(kept) if g in born]

    def relabel(self):
        from scipy.optimize import linear_sum_assignment

        np = self.np
        overlap = np.zeros((self.z.max() + 1, max(self.labels.max(), self.z.max()) + 1))
        np.add.at(overlap, (self.z, self.labels), 1)
        return linear_sum_assignment(-overlap)[1]

    def settle(self, g):
        """One more update of a cluster just born, which walks at random by itself."""
        np, m, rows = self.np, self.z == g, self.rows
        own = object.__new__(Sampler)
        own.__dict__.update(self.__dict__)
        own.y, own.n, own.z = self.y[m], int(m.sum()), np.zeros(int(m.sum()), dtype=int)
        own.x = self.x[:, g * rows : (g + 1) * rows].copy()
        own.delta, own.c, own.r = self.delta[m], self.c[m].copy(), self.r[m]
        own.s = np.zeros(self.bins, dtype=int)
        own.a, own.b, own.q = np.eye(rows)[None], np.zeros((1, rows)), NOISE * np.eye(rows)[None]
        own.x = own.draw_paths(*own.evidence(*own.augment(own.log_rates())), True)
        own.draw_neurons()
        self.x[:, g * rows : (g + 1) * rows] = own.x
        self.delta[m], self.c[m], self.r[m] = own.delta, own.c, own.r

    def sweep(self):
        self.x = self.draw_paths(*self.evidence(*self.augment(self.log_rates())), True, moves=20)
        self.draw_states()
        self.draw_dynamics()
        self.draw_neurons()
        self.project()
        born = self.assign()
        self.relabel()
        for g in born:
            self.settle(g)
        if born:
            self.project()
        self.number += 1

    def expectations(self) -> dict:
        """What a sweep computes before it draws, with the Pólya-Gamma variables at their means."""
        np = self.np
        r = self.r[:, None]
        c = self.log_rates() - np.log(r)
        half = 0.5 * np.abs(c)
        safe = np.where(half > 1e-4, half, 1.0)
        omega = (self.y + r) * np.where(half > 1e-4, np.tanh(safe) / (4 * safe), 0.25 - half**2 / 12)
        paths = self.draw_paths(*self.evidence(omega, 0.5 * (self.y - r)), False)
        blocks = self.blocks()
        marginals = []
        for g in range(len(blocks)):
            path = blocks[g][None]
            marginals.append(self.laplace(path, path[:, :, 1:] * self.scales(path)[:, None, :])[0])
        steps = self.step_densities()
        index = np.arange(paths.size).reshape(paths.shape)
        return {
            "paths": float((paths * np.cos(index)).sum()),
            "paths_size": float(np.sqrt((paths**2).sum())),
            "steps": float(steps[np.arange(len(steps)), self.s[1:]].sum()),
            "marginals": float(np.sum(marginals)),
        }


def numpy(case: dict, folder: Path):
    import numpy as np

    y = np.loadtxt(folder / "counts.txt")
    state = load(folder)

    figures = Sampler(y, state, 1).expectations()

    def work() -> dict:
        chain = Sampler(y, state, 1)
        reached = []
        for _ in range(case["sweeps"]):
            chain.sweep()
            reached.append(chain.log_likelihood())
        return {**figures, "log_likelihood": float(np.mean(reached))}

    return work


def same(ours: dict, theirs: dict) -> str | None:
    for name in ("paths", "paths_size", "steps", "marginals"):
        a, b = ours[name], theirs[name]
        if abs(a - b) > 1e-6 * (1 + abs(b)):
            return f"{name}: {a!r} against {b!r}"
    # Two chains from one state: their mean log likelihoods differ by what draws scatter.
    a, b = ours["log_likelihood"], theirs["log_likelihood"]
    return None if abs(a - b) < 0.01 * abs(b) else f"log likelihood {a:.1f} against {b:.1f}"


COMPARISONS = [
    Comparison(
        name="biclustering",
        cases=[
            {"name": "30 neurons, 500 bins", "per_cluster": 10, "bins": 500, "settle": 300, "sweeps": 40},
            {"name": "60 neurons, 1000 bins", "per_cluster": 20, "bins": 1000, "settle": 300, "sweeps": 15},
        ],
        inputs=inputs,
        ours=ours,
        peers=[Peer(name="numpy", prepare=numpy, package="numpy")],
        bar=20.0,
        fair="The same sweep from the same state: the same steps, batched over neurons in NumPy, Pólya-Gamma variables by "
        "polyagamma's compiled sampler. Both sides also compute the log likelihood after each sweep.",
        same=same,
        rounds=2,
        repeats=1,
        threads=("1", "2"),
    )
]
